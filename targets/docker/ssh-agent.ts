import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';

/**
 * Connections to an Engine through the machine's own `ssh`, one each, as Docker's command makes them: so keys, known hosts, jump hosts and
 * aliases are those that the user has set up, and nothing is trusted that `ssh` would not trust.
 */
export function sshAgent(to: { host: string; port: number | undefined; user: string | undefined }): Agent {
  const args = [
    ...['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15', '-o', 'ServerAliveInterval=15', '-T'],
    ...(to.port === undefined ? [] : ['-p', String(to.port)]),
    ...(to.user === undefined ? [] : ['-l', to.user]),
    ...['--', to.host, 'docker', 'system', 'dial-stdio'],
  ];
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 4, timeout: 0 });
  // Its type wants a socket; what http uses of one is that it is a stream.
  Object.assign(agent, { createConnection: () => connectionOver('ssh', args) });
  return agent;
}

function connectionOver(program: string, args: readonly string[]): Duplex {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-2_000);
  });
  const connection = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const fail = (reason: string): void => {
    connection.destroy(Object.assign(new Error(reason), { code: 'ECONNREFUSED' }));
  };
  child.on('error', (error) => fail(`ssh could not be started: ${error.message}`));
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) fail(`ssh ended with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`);
  });
  connection.on('close', () => child.kill());
  // What http asks of a socket besides.
  return Object.assign(connection, {
    setKeepAlive: () => connection,
    setNoDelay: () => connection,
    setTimeout: () => connection,
    ref: () => connection,
    unref: () => connection,
  });
}
