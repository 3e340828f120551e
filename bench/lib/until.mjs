/** Looks until `look` answers something other than undefined and false. For what cannot tell us when it happens. */
export async function until(what, look, { everyMs = 20, limitMs = 120_000 } = {}) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await look();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
