/**
 * Ports for servers that tests start. Plain JavaScript because the keeper of the database (postgres-keeper.mjs) runs it without a compiler.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Where nobody gets a port who asks for any: between the moment that one is chosen and the moment that its server listens lie seconds, and
 * from the range of the system it would be given to a connection or a server of somebody else meanwhile.
 */
const range = { from: 12_000, until: Math.min(lowestOfTheSystem(), 32_768) };
const given = new Set();

/** A port of loopback that nobody listens on now, and that nobody else of this test run is given. */
export async function freePort() {
  // Test files that run at the same time look in different places.
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % 8;
  const width = Math.floor((range.until - range.from) / 8);
  const first = range.from + worker * width;
  // Processes of one worker follow one another: each begins somewhere else, so that a port may rest.
  let next = process.pid % width;
  for (let tries = 0; tries < width; tries++, next = (next + 1) % width) {
    const port = first + next;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port from ${first} to ${first + width - 1}`);
}

function isFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function lowestOfTheSystem() {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)[0]);
  } catch {
    // As Linux has it by default; others begin higher.
    return 32_768;
  }
}
