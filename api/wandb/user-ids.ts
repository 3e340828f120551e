/** Global ids of users and keys; the others are in ids.ts. */

export function parseUserId(id: string): number | undefined {
  const match = /^User:(\d{1,9})$/.exec(Buffer.from(id, 'base64').toString());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export const apiKeyGlobalId = (id: string): string => Buffer.from(`ApiKey:${id}`).toString('base64');
export const parseApiKeyId = (id: string): string | undefined =>
  /^ApiKey:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(Buffer.from(id, 'base64').toString())?.[1];
