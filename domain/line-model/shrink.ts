/**
 * Delta debugging: leaves out as much of a history as possible while it still breaks the same rule, ever smaller pieces at a time, until not
 * a single step can be spared.
 *
 * @param breaks after how many steps the history goes wrong; undefined: it does not.
 */
export function shrink<T>(history: readonly T[], breaks: (history: readonly T[]) => number | undefined): T[] {
  let best = history.slice(0, breaks(history) ?? history.length);
  for (let size = Math.ceil(best.length / 2); size >= 1;) {
    let shortened = false;
    // From the end: what comes late depends on what came early, seldom the other way round.
    for (let end = best.length; end > 0; end -= size) {
      const candidate = [...best.slice(0, Math.max(0, end - size)), ...best.slice(end)];
      const after = breaks(candidate);
      if (after === undefined) continue;
      best = candidate.slice(0, after);
      end = Math.min(end, best.length + size);
      shortened = true;
    }
    if (size === 1 && !shortened) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return best;
}
