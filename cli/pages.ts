interface Page<T> {
  items: T[];
  nextCursor?: string;
}

/** Everything of a list that comes in pages, or the first `limit` of it. */
export async function everyPage<T>(
  get: (cursor: { cursor?: string; limit: string }) => Promise<Page<T> | undefined>,
  limit = Infinity,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const size = String(Math.min(200, limit - all.length));
    const page: Page<T> | undefined = await get({ limit: size, ...(cursor === undefined ? {} : { cursor }) });
    all.push(...(page?.items ?? []));
    cursor = page?.nextCursor;
  } while (cursor !== undefined && all.length < limit);
  return all;
}
