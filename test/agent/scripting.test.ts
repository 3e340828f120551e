import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

/** Every command of docs/scripting.md, exactly as it stands there. */

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'scripting.md'), 'utf8');
const blocks = new Map(
  [...page.matchAll(/<!-- test: ([a-z-]+) -->\s+```sh\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);
const seen = new Set<string>();

let engine: Engine;
let job: string;
let path = '';
beforeAll(async () => {
  engine = await Engine.start();
  await engine.queue('gpu');
  job = await engine.script('quick', 'exit 0');
  // The program is called `temporal` in the page, wherever it lies here.
  const folder = join(engine.folder, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'temporal'), `#!/bin/sh\nexec '${engine.temporal.program}' "$@"\n`);
  chmodSync(join(folder, 'temporal'), 0o755);
  path = `${folder}:${process.env['PATH'] ?? ''}`;
});
afterAll(() => engine.stop());

async function typed(name: string, variables: Record<string, string> = {}): Promise<string> {
  const text = blocks.get(name);
  if (text === undefined) throw new Error(`docs/scripting.md has no block "${name}"`);
  seen.add(name);
  const env = {
    PATH: path,
    HOME: dirname(engine.folder),
    TEMPORAL_ADDRESS: engine.temporal.address,
    ...variables,
  };
  const { stdout } = await run('sh', ['-e', '-c', text], { env, timeout: 120_000 });
  return stdout;
}
const position = async (id: string): Promise<number | null | undefined> =>
  (await engine.client.GET('/launches/{id}', { params: { path: { id } } })).data?.position;
/** In Temporal, as visibility shows it. */
const listed = (ids: readonly string[]) =>
  until(async () => ids.every((id) => listing.includes(id)) || ((listing = await typed('list')), false), {
    what: 'the launches to be listed',
  });
let listing = '';

describe('docs/scripting.md', () => {
  test('lists, counts and describes what waits', async () => {
    const ids = [await engine.enqueue('gpu', job), await engine.enqueue('gpu', job)];
    await listed(ids);
    expect(await typed('count')).toContain('Total: 2');
    expect(await typed('describe-launch', { LAUNCH: ids[0] ?? '' })).toContain(`launch/${ids[0]}`);
    const agent = await engine.startAgent({ name: 'describer' });
    for (const id of ids) await engine.ended(id);
    await until(async () => (await typed('describe-queue').catch(() => '')).includes('agent:describer'), {
      what: 'the agent among the pollers',
    });
    await agent.drain();
  });

  test('moves, holds, releases and reprioritises a waiting launch by signals', async () => {
    const ids = [await engine.enqueue('gpu', job), await engine.enqueue('gpu', job), await engine.enqueue('gpu', job)];
    const [first = '', second = '', third = ''] = ids;
    await listed(ids);
    await typed('move', { LAUNCH: third, OTHER: first });
    const told = async () => (await engine.show(third)).timeline.map((event) => event.sentence).join('\n');
    // The first of the signals puts it to the front already, and the last takes effect when its command has ended.
    await until(async () => (await told()).includes('to high'), { what: 'the last of the signals to take effect' });
    expect(await position(third)).toBe(1);
    expect(await position(first)).toBe(2);
    const story = await told();
    for (const words of [
      'Moved to the front',
      `Moved after ${first}`,
      'until the data is there',
      'Released',
      'to high',
    ])
      expect(story).toContain(words);

    // A signal that makes no sense fails nothing and says so.
    await run(engine.temporal.program, [
      ...['workflow', 'signal', '--workflow-id', `launch/${second}`, '--name', 'move', '--input', '{"to":"moon"}'],
      ...['--address', engine.temporal.address],
    ]);
    const details = async (): Promise<string> => {
      const args = ['workflow', 'metadata', '--workflow-id', `launch/${second}`, '--output', 'json'];
      return (await run(engine.temporal.program, [...args, '--address', engine.temporal.address])).stdout;
    };
    await until(async () => (await details()).includes('refused'), { what: 'the refusal in the details' });
    expect(await position(second)).toBe(3);
  });

  test('pauses and resumes a queue', async () => {
    const output = await typed('pause');
    expect(output).toMatch(/"paused":\s*true/);
    expect(output).toMatch(/"paused":\s*false/);
    const { data } = await engine.client.GET('/queues/{entity}/{queue}', {
      params: { path: { entity: engine.entity, queue: 'gpu' } },
    });
    expect(data).toMatchObject({ paused: false });
  });

  test('cancels one, and many by a query', async () => {
    const [id = ''] = [await engine.enqueue('gpu', job)];
    await listed([id]);
    await typed('cancel', { LAUNCH: id });
    expect(await engine.ended(id)).toMatchObject({ state: 'stopped' });
    const ids = [await engine.enqueue('gpu', job), await engine.enqueue('gpu', job)];
    await listed(ids);
    expect(await typed('cancel-by-query')).toBeTruthy();
    for (const each of ids) expect(await engine.ended(each)).toMatchObject({ state: 'stopped' });
  });

  test('starts a launch by hand and waits for its result', async () => {
    await engine.startAgent({ name: 'runner' });
    expect(await typed('start')).toContain('"state":"f');
  });

  test('has no command that was not run', () => {
    expect([...blocks.keys()].filter((name) => !seen.has(name))).toEqual([]);
  });
});
