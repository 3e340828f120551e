import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { choosePorts, isFree, readPorts } from '../../cli/stack/ports.js';
import { temporaryHome } from './support/stack.js';

let home: ReturnType<typeof temporaryHome>;
const servers: Server[] = [];
beforeEach(() => (home = temporaryHome()));
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  home.remove();
});

async function occupy(port: number, host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('the choice is the same at the next start', async () => {
  const first = await choosePorts(home.path);
  expect(await choosePorts(home.path)).toEqual({ ports: first.ports, moved: [] });
  expect(readPorts(home.path)).toEqual(first.ports);
});

test('each part has a port of its own, and all are free', async () => {
  const { ports } = await choosePorts(home.path);
  expect(new Set(Object.values(ports)).size).toBe(4);
  for (const port of Object.values(ports)) expect(await isFree(port)).toBe(true);
});

test('a default that is taken moves on to a free port, and the move is told and kept', async () => {
  const first = await choosePorts(home.path);
  await occupy(first.ports.api);
  await occupy(first.ports.temporal);
  const second = await choosePorts(home.path);
  expect(second.ports.api).toBeGreaterThan(first.ports.api);
  expect(second.ports.temporal).toBeGreaterThan(first.ports.temporal);
  expect(second.ports.temporalUi).toBe(first.ports.temporalUi);
  expect(second.moved.map(({ name, wanted, chosen }) => [name, wanted, chosen])).toEqual([
    ['api', first.ports.api, second.ports.api],
    ['temporal', first.ports.temporal, second.ports.temporal],
  ]);
  expect((await choosePorts(home.path)).ports).toEqual(second.ports);
});

test('a port that the user asked for is taken as it is, or refused with the name of who has it', async () => {
  const taken = await occupy(0);
  const refusal = await choosePorts(home.path, { api: taken }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'port-in-use' });
  expect((refusal as Error).message).toContain(String(taken));
  if (process.platform === 'linux') expect((refusal as Error).message).toContain(`process ${process.pid}`);

  const { ports } = await choosePorts(home.path);
  const asked = ports.postgres;
  expect((await choosePorts(home.path, { api: asked })).ports.api).toBe(asked);
});

test('a port that somebody has on all addresses is not free', async () => {
  expect(await isFree(await occupy(0, '0.0.0.0'))).toBe(false);
});

test('a broken list of ports is made anew', async () => {
  writeFileSync(join(home.path, 'ports.json'), '{"api": 80');
  expect(readPorts(home.path)).toBeNull();
  expect(readPorts(home.path)).not.toEqual((await choosePorts(home.path)).ports);
});
