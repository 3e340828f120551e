/** A probe for children that serve HTTP: ready when the address answers with success. */
export function httpProbe(url: string): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const answer = await fetch(url, { signal });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  };
}
