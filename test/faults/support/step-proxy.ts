import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { launchOf, stepOf, type Moment, type SeenCall } from './steps.js';

export interface SeenStep extends SeenCall {
  /** Whose listener the call came through: the agent's name, or `client`. */
  from: string;
  moment: Moment;
}

/**
 * Called at each moment of each step, while the call stands still; what it kills is dead before the call goes on. `cut`: whoever asked hears
 * nothing more, as if the connection broke.
 */
export type OnStep = (step: SeenStep) => 'go on' | 'cut' | Promise<'go on' | 'cut'>;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Stands between agents (or a client) and the API, and sees every call before, done and after. One listener for each, so that it knows who asks. */
export class StepProxy {
  onStep: OnStep = () => 'go on';
  private readonly servers: Server[] = [];
  private readonly upstream = new Agent({ keepAlive: true, maxSockets: 200 });
  private readonly cutOff = new Set<string>();

  constructor(private readonly apiUrl: string) {}

  /** The address that stands for the API to this one. */
  async listen(from: string): Promise<string> {
    const server = createServer((req, res) => {
      void this.pass(from, req, res).catch(() => res.destroy());
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** As if the network between it and the API were gone. */
  cut(from: string): void {
    this.cutOff.add(from);
  }
  mend(from: string): void {
    this.cutOff.delete(from);
  }

  private async pass(from: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (this.cutOff.has(from)) return void res.destroy();
    const body = await bytesOf(req);
    const seen = stepOf(req.method ?? 'GET', req.url ?? '/', body);
    if (seen === undefined) return this.deliver(res, await this.ask(req, body));

    // A server that dies here dies with the call under way: it is asked and killed in one breath.
    const asked = this.ask(req, body, () => this.step({ ...seen, from, moment: 'before' }));
    const answer = await asked;
    if (answer === undefined) return void res.destroy();
    if (answer.status >= 300) return this.deliver(res, answer);
    const launchId = launchOf(seen, answer.body);
    const done = launchId === undefined ? 'go on' : await this.step({ ...seen, launchId, from, moment: 'done' });
    if (done === 'cut') return void res.destroy();
    await this.deliver(res, answer);
    if (launchId !== undefined) await this.step({ ...seen, launchId, from, moment: 'after' });
  }

  private async step(step: SeenStep): Promise<'go on' | 'cut'> {
    return this.onStep(step);
  }

  /** Undefined: the step said to cut it, and the API never heard of it. */
  private async ask(
    req: IncomingMessage,
    body: Buffer,
    before?: () => Promise<'go on' | 'cut'>,
  ): Promise<Answer | undefined> {
    if (before !== undefined && (await before()) === 'cut') return undefined;
    return new Promise((resolve, reject) => {
      const { connection: _hop, 'transfer-encoding': _coding, ...headers } = req.headers;
      const call = request(
        `${this.apiUrl}${req.url ?? '/'}`,
        {
          method: req.method ?? 'GET',
          agent: this.upstream,
          headers: { ...headers, ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) },
        },
        (reply) => {
          bytesOf(reply).then((bytes) => {
            resolve({ status: reply.statusCode ?? 502, headers: reply.headers, body: bytes });
          }, reject);
        },
      );
      call.once('error', reject);
      call.end(body);
    });
  }

  private async deliver(res: ServerResponse, answer: Answer | undefined): Promise<void> {
    if (answer === undefined || res.destroyed) return void res.destroy();
    const { connection: _hop, 'transfer-encoding': _coding, 'keep-alive': _alive, ...headers } = answer.headers;
    res.writeHead(answer.status, { ...headers, 'content-length': String(answer.body.length) });
    await new Promise<void>((resolve) => {
      res.once('close', resolve);
      res.end(answer.body, resolve);
    });
  }

  close(): void {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    this.upstream.destroy();
  }
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
