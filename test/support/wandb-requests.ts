import type { TrackingApi } from './tracking-api.js';

/** The two kinds of request that wandb clients send all the time, to any API. */
export function wandbRequests(url: string, ownKey: string): Pick<TrackingApi, 'graphql' | 'fileStream'> {
  const post = async (path: string, body: unknown, key: string) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}`,
      },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return {
    async graphql<T>(query: string, variables: Record<string, unknown> = {}, key = ownKey) {
      const { status, body } = await post('/graphql', { query, variables, operationName: '' }, key);
      return { status, ...(body as { data: T; errors?: { message: string }[] }) };
    },
    fileStream: (path, body, key = ownKey) => post(`/files/${path}/file_stream`, body, key),
  };
}
