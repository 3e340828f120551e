import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import type { Api, DavitClient } from '../../client/index.js';
import { until } from './until.js';

export type Launch = Api<'Launch'>;
export type LaunchDetail = Api<'LaunchDetail'>;
export type LogStream = 'prepare' | 'stdout' | 'stderr';

const ends: readonly Launch['state'][] = ['finished', 'failed', 'stopped'];

/** What tests do with launches, by the API alone. Who stands behind it (parts in this process, a whole stack) is the subclass's. */
export abstract class Launcher {
  abstract readonly client: DavitClient;
  abstract readonly apiUrl: string;
  abstract readonly userKey: string;
  abstract readonly entity: string;
  /** For what a test makes; removed with everything else. */
  abstract readonly folder: string;

  async queue(name: string, over: Partial<Api<'NewQueue'>> = {}): Promise<string> {
    await this.client.POST('/queues', { body: { name, target: 'process', requireRun: false, ...over } });
    return name;
  }

  /** A job of the files given; the entry point is run without a shell. */
  async job(
    name: string,
    entryPoint: string,
    files: Record<string, string>,
    more: { baseImage?: string } = {},
  ): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'code-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const archive = await create({ gzip: true, cwd: folder, portable: true }, ['.']).collect();
    const bytes = Buffer.concat(archive);
    await this.client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions', {
      params: { path: { entity: this.entity, project: 'demo', job: name }, query: { entryPoint, ...more } },
      body: bytes as never,
      bodySerializer: () => bytes,
      headers: { 'Content-Type': 'application/gzip' },
    });
    return `${this.entity}/demo/${name}:latest`;
  }

  /** A job whose one file is a shell script. */
  script(name: string, text: string): Promise<string> {
    return this.job(name, 'sh run.sh', { 'run.sh': text });
  }

  async enqueue(queue: string, job: string, over: Record<string, unknown> = {}, key?: string): Promise<string> {
    const { data } = await this.client.POST('/launches', {
      body: { queue, job, ...over } as never,
      ...(key === undefined ? {} : { headers: { 'Idempotency-Key': key } }),
    });
    if (!data || !('id' in data)) throw new Error('no answer');
    return data.id;
  }

  async cancel(id: string): Promise<Launch['state']> {
    const { data } = await this.client.POST('/launches/{id}/cancel', { params: { path: { id } } });
    if (!data) throw new Error('no answer');
    return data.state;
  }

  async show(id: string): Promise<LaunchDetail> {
    const { data } = await this.client.GET('/launches/{id}', { params: { path: { id } } });
    if (!data) throw new Error('no answer');
    return data;
  }

  async untilState(id: string, states: readonly Launch['state'][], ms = 120_000): Promise<LaunchDetail> {
    let last = 'not seen';
    return until(
      async () => {
        const launch = await this.show(id);
        last = launch.state;
        return states.includes(launch.state) ? launch : undefined;
      },
      { what: () => `launch ${id} to be ${states.join(' or ')} (it is ${last})`, ms },
    );
  }

  ended(id: string, ms?: number): Promise<LaunchDetail> {
    return this.untilState(id, ends, ms);
  }

  async logText(id: string, stream?: LogStream): Promise<string> {
    const reply = await fetch(`${this.apiUrl}/api/v1/launches/${id}/logs/text${stream ? `?stream=${stream}` : ''}`, {
      headers: { Authorization: `Bearer ${this.userKey}`, Accept: 'text/plain' },
    });
    if (!reply.ok) throw new Error(`the log of ${id} answers ${reply.status}`);
    return reply.text();
  }
}
