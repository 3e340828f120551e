/**
 * Looks up many keys at once: what resolvers of one page ask for in the same moment goes into one query, and the same key is asked once. Make
 * one per request: it never forgets.
 */
export function batched<K, V>(load: (keys: K[]) => Promise<ReadonlyMap<K, V>>): (key: K) => Promise<V | undefined> {
  const known = new Map<K, Promise<V | undefined>>();
  let waiting: { key: K; resolve: (value: V | undefined) => void; reject: (error: unknown) => void }[] = [];

  function send(): void {
    const batch = waiting;
    waiting = [];
    load(batch.map(({ key }) => key)).then(
      (found) => {
        for (const { key, resolve } of batch) resolve(found.get(key));
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }

  return (key) => {
    const there = known.get(key);
    if (there) return there;
    const asked = new Promise<V | undefined>((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      // After whatever the resolvers of this round still have to do.
      if (waiting.length === 1) setImmediate(send);
    });
    known.set(key, asked);
    return asked;
  };
}

/** Rows of many keys, grouped: a key without rows is missing. */
export function groupBy<K, Row>(rows: readonly Row[], keyOf: (row: Row) => K): Map<K, Row[]> {
  const groups = new Map<K, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
