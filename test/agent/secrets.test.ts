import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

/** A value that is nowhere else, with everything in it that quoting could change. */
const value = `planted-"${randomUUID()}"-$HOME 'ä'\\`;
const stars = '*'.repeat(Buffer.byteLength(value));

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  await set('token', value);
  await engine.queue('q', { secrets: ['token'], secretVariables: { QUEUE_TOKEN: 'token' } });
});
afterAll(() => engine.stop());

const set = (name: string, to: string) =>
  engine.client.PUT('/entities/{entity}/secrets/{secret}', {
    params: { path: { entity: engine.entity, secret: name } },
    body: { value: to },
  });
const withToken = { overrides: { secrets: { TOKEN: 'token' } } };

/** Everything that PostgreSQL has, as text, bytes as hexadecimal digits. */
async function databaseHolds(what: string): Promise<string[]> {
  const { db } = engine.database;
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(
    db,
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(name)} t
      where position(${what} in t::text) > 0 or position(${JSON.stringify(what).slice(1, -1)} in t::text) > 0
        or position(${Buffer.from(what).toString('hex')} in t::text) > 0`.execute(db);
    if ((rows[0]?.n ?? 0) > 0) holding.push(name);
  }
  return holding;
}

/** Every text and every payload of every workflow's history. */
async function textOfHistories(): Promise<string> {
  const connection = await Connection.connect({ address: engine.temporal.address });
  const parts: string[] = [];
  const gather = (found: unknown): void => {
    if (typeof found === 'string') parts.push(found);
    else if (found instanceof Uint8Array) parts.push(Buffer.from(found).toString());
    else if (typeof found === 'object' && found !== null) Object.values(found).forEach(gather);
  };
  const client = new Client({ connection });
  for await (const { workflowId, runId } of client.workflow.list()) {
    parts.push(workflowId);
    gather(await client.workflow.getHandle(workflowId, runId).fetchHistory());
  }
  await connection.close();
  return parts.join('\n');
}

async function filesHolding(folder: string, what: string): Promise<string[]> {
  const holding: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(what)) holding.push(path);
  }
  return holding;
}

describe('a secret that a launch names', () => {
  test('reaches its job whole, and its log, the database, Temporal and the blobs never', async () => {
    const agent = await engine.startAgent();
    const hash = createHash('sha256').update(value).digest('hex');
    const job = await engine.script(
      'prints',
      [
        'printf "%s" "$TOKEN" | sha256sum',
        '[ "$TOKEN" = "$QUEUE_TOKEN" ] && echo the same in both',
        'echo "it is $TOKEN, twice: $TOKEN$TOKEN"',
        'printf "%s" "$TOKEN" | base64 -w 0; echo',
        'echo "$TOKEN" >&2',
        'echo "and the key $WANDB_API_KEY"',
        'exit 4',
      ].join('\n'),
    );
    const id = await engine.enqueue('q', job, withToken);
    expect(await engine.ended(id)).toMatchObject({ state: 'failed', exitCode: 4 });
    const out = await engine.logText(id, 'stdout');
    expect(out).toContain(hash);
    expect(out).toContain('the same in both');
    expect(out).toContain(`it is ${stars}, twice: ${stars}${stars}\n`);
    expect(out).toMatch(/\n\*{60,}=*\n/);
    expect(out).toMatch(/and the key \*{50}\n/);
    expect(await engine.logText(id, 'stderr')).toBe(`${stars}\n`);
    expect((await engine.show(id)).resolved['secrets']).toEqual({ TOKEN: 'token', QUEUE_TOKEN: 'token' });

    expect(await databaseHolds(value)).toEqual([]);
    // The search finds what is there.
    expect(await databaseHolds('it is ')).toContain('launch_log');
    expect(await databaseHolds('prints')).toContain('launch');
    const histories = await textOfHistories();
    expect(histories).toContain(id);
    expect(histories).not.toContain(value);
    expect(histories).not.toContain(JSON.stringify(value).slice(1, -1));
    expect(await filesHolding(join(engine.folder, 'blobs'), value)).toEqual([]);
    // What the job printed lies with the job, for whoever is the same user of that machine; nothing else there has it.
    const own = (await filesHolding(join(engine.folder, 'work'), value)).map((path) => path.split('/').at(-1));
    expect(own.sort()).toEqual(['stderr', 'stdout']);
    await agent.drain();
  });

  test('stays hidden when another agent adopts the job, though it was changed and deleted since', async () => {
    const gate = join(engine.folder, 'gate');
    const first = await engine.startAgent();
    const job = await engine.script(
      'waits',
      `echo "before $TOKEN"; while [ ! -e ${gate} ]; do sleep 0.1; done; echo "after $TOKEN"`,
    );
    const id = await engine.enqueue('q', job, withToken);
    await until(async () => (await engine.logText(id, 'stdout')).includes('before'), { ms: 60_000 });
    await first.drain();
    await set('token', 'another value');
    await engine.client.DELETE('/entities/{entity}/secrets/{secret}', {
      params: { path: { entity: engine.entity, secret: 'token' } },
    });
    const second = await engine.startAgent();
    await writeFile(gate, '');
    expect(await engine.ended(id)).toMatchObject({ state: 'finished' });
    expect(await engine.logText(id, 'stdout')).toBe(`before ${stars}\nafter ${stars}\n`);
    expect(await databaseHolds(value)).toEqual([]);
    const left = await engine.database.db.selectFrom('launch_secret').selectAll().execute();
    expect(left).toEqual([]);
    await second.drain();
  });

  test('that is taken away while the launch waits fails it by name, before there is a job', async () => {
    await set('brief', 'brief value');
    await engine.queue('p', { secrets: ['brief'] });
    const job = await engine.script('never', 'echo never');
    const id = await engine.enqueue('p', job, { overrides: { secrets: { TOKEN: 'brief' } } });
    await engine.client.PATCH('/queues/{entity}/{queue}', {
      params: { path: { entity: engine.entity, queue: 'p' } },
      body: { secrets: [] },
    });
    const agent = await engine.startAgent();
    const launch = await engine.ended(id);
    expect(launch).toMatchObject({
      state: 'failed',
      failure: { code: 'secret-not-allowed', stage: 'submit', fault: 'user' },
    });
    expect(launch.failure?.message).toContain('"brief"');
    expect(await engine.logText(id, 'stdout')).toBe('');
    await agent.drain();
  });
});
