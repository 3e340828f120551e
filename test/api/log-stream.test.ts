import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDavitClient, type LogEvent } from '../../client/index.js';
import { appendLog } from '../../store/launch-logs.js';
import { startCuttingProxy } from './support/cutting-proxy.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const enqueue = async () =>
  (await api.call('POST', '/launches', { body: { queue: 'lab/q', job: 'lab/demo/train' } })).body.id as string;

/** As the agent protocol does: bytes of a stream at their place. */
class Writer {
  private at = 0;
  constructor(
    private readonly id: string,
    private readonly stream: 'stdout' | 'stderr' = 'stdout',
    private readonly attempt = 1,
  ) {}
  async write(data: Uint8Array | string, ended = false): Promise<void> {
    const { length } = await appendLog(api.db, {
      launchId: this.id,
      attempt: this.attempt,
      stream: this.stream,
      fromByte: this.at,
      at: new Date(),
      data: Buffer.from(data as string),
      ended,
    });
    this.at = length;
  }
}
const finish = (id: string) =>
  api.db
    .updateTable('launch')
    .set({ state: 'finished', exit_code: 0, ended_at: new Date() })
    .where('id', '=', id)
    .execute();

/** Characters of one to four bytes. */
const alphabet = ['a', 'ü', '€', '🚀', '\n'];
const textOf = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => alphabet[(i * 7 + seed * 3 + ((i * i) % 11)) % alphabet.length]).join('');

async function collect(events: AsyncIterable<LogEvent>) {
  const chunks: LogEvent[] = [];
  for await (const event of events) chunks.push(event);
  return chunks;
}
const textIn = (events: LogEvent[], stream: string) =>
  events.flatMap((e) => (e.event === 'log' && e.data.stream === stream ? [e.data.text] : [])).join('');
const numbersIn = (events: LogEvent[]) => events.flatMap((e) => (e.event === 'log' ? [e.data.n] : []));

test('a log that is followed through broken connections has no gap and no double', async () => {
  const id = await enqueue();
  const proxy = await startCuttingProxy(Number(new URL(api.url).port), { cutAfterBytes: [900, 1500, 3000, 700, 5000] });
  const client = createDavitClient({ baseUrl: proxy.url, apiKey: api.keys.ada });
  const breaks: number[] = [];
  const following = collect(client.followLog(id, { onBreak: (_error, attempt) => breaks.push(attempt) }));

  const out = Buffer.from(textOf(6_000, 1));
  const err = Buffer.from(textOf(2_000, 2));
  // Cut anywhere, in the middle of characters too.
  const pieces = (data: Buffer, sizes: number[]) => {
    const list: Buffer[] = [];
    for (let at = 0, i = 0; at < data.length; at += sizes[i % sizes.length] ?? 1, i++)
      list.push(data.subarray(at, at + (sizes[i % sizes.length] ?? 1)));
    return list;
  };
  await Promise.all(
    (
      [
        ['stdout', out, [97, 1, 250, 2]],
        ['stderr', err, [31, 3, 120]],
      ] as const
    ).map(async ([stream, data, sizes]) => {
      const writer = new Writer(id, stream);
      for (const piece of pieces(data, [...sizes])) await writer.write(piece);
      await writer.write('', true);
    }),
  );
  await finish(id);
  const events = await following;
  await proxy.close();

  expect(numbersIn(events)).toEqual(numbersIn(events).map((_, i) => i + 1));
  expect(textIn(events, 'stdout')).toBe(out.toString());
  expect(textIn(events, 'stderr')).toBe(err.toString());
  expect(events.at(-1)).toMatchObject({ event: 'end', data: { state: 'finished', exitCode: 0 } });
  expect(breaks.length).toBeGreaterThanOrEqual(5);
});

test('what is written before, between and after is the same for a reader who comes late, early or only for one stream', async () => {
  const id = await enqueue();
  const [out, err] = [new Writer(id), new Writer(id, 'stderr')];
  const client = createDavitClient({ baseUrl: api.url, apiKey: api.keys.ada });
  await out.write('one\n');
  await err.write('zwei\n');
  const early = collect(client.followLog(id));
  const onlyErr = collect(client.followLog(id, { stream: 'stderr' }));
  const resumed = collect(client.followLog(id, { lastEventId: '2' }));
  await out.write('three\n', true);
  await err.write('vier\n', true);
  await finish(id);
  expect(textIn(await early, 'stdout')).toBe('one\nthree\n');
  expect(textIn(await onlyErr, 'stderr')).toBe('zwei\nvier\n');
  expect(numbersIn(await onlyErr)).toEqual([2, 4]);
  expect(numbersIn(await resumed)).toEqual([3, 4]);
  expect(numbersIn(await collect(client.followLog(id)))).toEqual([1, 2, 3, 4]);

  const paged = await api.call('GET', `/launches/${id}/logs?from=2`);
  expect(paged.body).toMatchObject({ nextFrom: 5, more: false, ended: true });
  expect(paged.body.chunks.map((c: { text: string }) => c.text)).toEqual(['zwei\n', 'three\n', 'vier\n']);
  expect((await api.call('GET', `/launches/${id}/logs/text?stream=stdout`)).text).toBe('one\nthree\n');
  expect((await api.call('GET', `/launches/${id}/logs/text`)).text).toBe('one\nzwei\nthree\nvier\n');
});

test('the same piece again, or one that overlaps, adds nothing twice; one behind a gap is not taken', async () => {
  const id = await enqueue();
  const append = (fromByte: number, text: string) =>
    appendLog(api.db, {
      launchId: id,
      attempt: 1,
      stream: 'stdout',
      fromByte,
      at: new Date(),
      data: Buffer.from(text),
    });
  expect(await append(0, 'hello ')).toEqual({ length: 6 });
  expect(await append(0, 'hello ')).toEqual({ length: 6 });
  expect(await append(3, 'lo world')).toEqual({ length: 11 });
  expect(await append(20, 'later')).toEqual({ length: 11 });
  await Promise.all(Array.from({ length: 10 }, () => append(11, '!')));
  expect((await api.call('GET', `/launches/${id}/logs/text`)).text).toBe('hello world!');
});

test('a reader who stops reading is waited for, and costs the others nothing', async () => {
  const id = await enqueue();
  const writer = new Writer(id);
  const slow = await fetch(`${api.url}/api/v1/launches/${id}/logs/stream`, {
    headers: { Authorization: `Bearer ${api.keys.ada}` },
  });
  const reader = slow.body?.getReader();
  const fast = collect(createDavitClient({ baseUrl: api.url, apiKey: api.keys.ada }).followLog(id));
  const line = `${'x'.repeat(60_000)}\n`;
  for (let i = 0; i < 150; i++) await writer.write(line);
  await writer.write('', true);
  await finish(id);
  expect(textIn(await fast, 'stdout').length).toBe(150 * line.length);
  let bytes = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) bytes += part.value.length;
  expect(bytes).toBeGreaterThan(150 * line.length);
});

test('an end without a log ends the stream, and a launch is followed through its states', async () => {
  const id = await enqueue();
  const client = createDavitClient({ baseUrl: api.url, apiKey: api.keys.ada });
  const log = collect(client.followLog(id));
  const states: string[] = [];
  const keys: string[] = [];
  const following = (async () => {
    for await (const event of client.followLaunch(id)) {
      if (event.event === 'launch') states.push(event.data.state);
      if (event.event === 'event') keys.push(event.data.key);
      if (event.event === 'launch' && event.data.state === 'queued') await api.call('POST', `/launches/${id}/cancel`);
    }
  })();
  await following;
  expect(states).toEqual(['queued', 'stopped']);
  expect(new Set(keys).size).toBe(2);
  expect(await log).toMatchObject([{ event: 'end', data: { state: 'stopped', failure: { code: 'cancelled' } } }]);
});

test('a stream of what may not be seen is an error, not a retry for ever', async () => {
  const id = await enqueue();
  const client = createDavitClient({ baseUrl: api.url, apiKey: api.keys.bob });
  await expect(collect(client.followLog(id))).rejects.toMatchObject({ code: 'not-found', status: 404 });
});
