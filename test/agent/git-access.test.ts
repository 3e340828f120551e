import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchCommit, type GitFetch } from '../../sources/git/fetch.js';
import { resolveCommit } from '../../sources/git/resolve.js';
import { startGitServer, type GitServer } from '../support/git-server.js';
import { buildTargets } from '../targets/built.js';

let git: GitServer;
let folder: string;
const servers: Server[] = [];
beforeAll(async () => {
  git = await startGitServer();
  folder = mkdtempSync(join(tmpdir(), 'davit-git-access-'));
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await git.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Another host, as far as git is concerned; answers its address. */
async function host(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Hands a request on to the git server, and its answer to `take`. */
function ask(req: IncomingMessage, take: (answer: IncomingMessage) => void): void {
  const { method, headers } = req;
  req.pipe(request(new URL(req.url ?? '/', git.url), { method, headers }, take));
}

const passOn = (req: IncomingMessage, res: ServerResponse): void =>
  ask(req, (answer) => {
    res.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(res);
  });

let fetches = 0;
function fetchOf(remote: string, commit: string, over: Partial<GitFetch> = {}) {
  const place = join(folder, String(++fetches));
  const job: GitFetch = {
    remote,
    commit,
    allowed: ['http://127.0.0.1:'],
    toFile: join(place, 'code.tar.gz'),
    tmpFolder: join(place, 'tmp'),
    signal: AbortSignal.timeout(60_000),
    onLog: () => undefined,
    ...over,
  };
  const left = (): string[] => (existsSync(job.tmpFolder) ? readdirSync(job.tmpFolder) : []);
  return { job, left, failure: () => failureOf(fetchCommit(job)) };
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => error as { code: string; message: string },
  );

describe('a redirect', () => {
  test('is not followed, neither of the first question nor of a later one: credentials stay with their host', async () => {
    const repo = git.repository('moved');
    const commit = repo.commit({ a: '1' });
    const seen: string[] = [];
    const other = await host((req, res) => {
      seen.push(`${req.method} ${req.headers.authorization}`);
      passOn(req, res);
    });
    const redirect = (req: IncomingMessage, res: ServerResponse): void =>
      void res.writeHead(302, { location: new URL(req.url ?? '/', other).href }).end();
    const all = await host(redirect);
    const later = await host((req, res) => (req.method === 'POST' ? redirect(req, res) : passOn(req, res)));
    for (const address of [all, later]) {
      const source = { remote: `${address}moved.git`, credentials: 'ada:hunter2' };
      const { job, failure } = fetchOf(source.remote, commit, source);
      const wanted = { code: 'git-unreachable', message: expect.stringContaining('use the address that it leads to') };
      expect(await failure()).toMatchObject(wanted);
      expect(await failureOf(resolveCommit(job, 'main'))).toMatchObject(wanted);
    }
    expect(seen).toEqual([]);
  });
});

describe('a secret', () => {
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----';
  const commit = 'a'.repeat(40);

  test.each([
    ['git@host.invalid:a/b.git', 'token', 'The secret holds a token'],
    ['ssh://git@host.invalid/a/b.git', 'ada:hunter2', 'The secret holds a token'],
    ['https://host.invalid/a/b.git', key, 'The secret holds a private key'],
  ])('that does not open %s is refused before git runs', async (remote, credentials, sentence) => {
    const refused = { code: 'git-refused', message: expect.stringContaining(sentence) };
    const { job, failure } = fetchOf(remote, commit, { credentials });
    expect(await failure()).toMatchObject({ ...refused, details: { stage: 'prepare' } });
    expect(await failureOf(resolveCommit(job, 'main'))).toMatchObject(refused);
  });

  test('that is a key lies in the folder of whoever uses it, for nobody else to read, and as long as git runs', async () => {
    const programs = join(folder, 'programs');
    const found = join(folder, 'found');
    mkdirSync(programs);
    // What git calls: it writes down where the key is, and fails.
    writeFileSync(
      join(programs, 'ssh'),
      `#!/bin/sh\nwhile [ "$1" != -i ]; do shift; done\nstat -c '%a %n' "$2" "$(dirname "$2")" > '${found}'; cat "$2" >> '${found}'; exit 1\n`,
    );
    chmodSync(join(programs, 'ssh'), 0o755);
    const path = process.env['PATH'];
    process.env['PATH'] = `${programs}:${path}`;
    try {
      for (const remote of ['git@host.invalid:a/b.git', 'ssh://git@host.invalid/a/b.git']) {
        const { job, left, failure } = fetchOf(remote, commit, { credentials: key });
        const asks = [failure, () => failureOf(resolveCommit(job, 'main'))];
        for (const ask of asks) {
          expect((await ask()).code).toBe('git-unreachable');
          const [file = '', place = '', ...text] = readFileSync(found, 'utf8').split('\n');
          expect(file.startsWith(`600 ${job.tmpFolder}/`), file).toBe(true);
          expect(place.startsWith(`700 ${job.tmpFolder}/`), place).toBe(true);
          expect(text.join('\n')).toBe(`${key}\n`);
          expect(left()).toEqual([]);
          rmSync(found);
        }
      }
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('submodules', () => {
  const refused = { code: 'git-refused', message: expect.stringContaining('A submodule of') };

  test('stay within the addresses that are allowed when theirs is relative, and deep inside', async () => {
    const [open, secret] = ['open/outer', 'secret/inner'].map((name) => git.repository(name));
    if (!open || !secret) throw new Error('no repositories');
    secret.commit({ 'secret.txt': 'secret' });
    const allowed = [`${git.url}open/`];
    open.addSubmodule(secret, 'x', '../../secret/inner.git');
    const climbing = open.commit({ a: '1' });
    expect(await fetchOf(open.url, climbing, { allowed }).failure()).toMatchObject(refused);
    expect((await fetchOf(open.url, climbing).failure()).code).toBe('none');

    const middle = git.repository('open/middle');
    middle.addSubmodule(secret, 'deep', secret.url);
    middle.commit({ a: '1' });
    const top = git.repository('open/top');
    top.addSubmodule(middle, 'middle', '../middle.git');
    const nested = top.commit({ a: '1' });
    const { failure, left } = fetchOf(top.url, nested, { allowed });
    expect(await failure()).toMatchObject(refused);
    expect(left()).toEqual([]);
    expect((await fetchOf(top.url, nested).failure()).code).toBe('none');
  });

  test('that cannot be listed, or go ever deeper, end the fetch', async () => {
    const repo = git.repository('broken-list');
    const inner = git.repository('broken-inner');
    inner.commit({ a: '1' });
    repo.addSubmodule(inner, 'x', inner.url);
    const commit = repo.commit({ '.gitmodules': '[submodule "x"\n\tpath = x\n' });
    expect((await fetchOf(repo.url, commit).failure()).code).toBe('git-unreachable');

    let below = git.repository('level-0');
    below.commit({ a: '1' });
    for (let level = 1; level <= 9; level++) {
      const next = git.repository(`level-${level}`);
      next.addSubmodule(below, 'below', below.url);
      next.commit({ a: '1' });
      below = next;
    }
    const tooDeep = await fetchOf(below.url, below.git('rev-parse', 'HEAD')).failure();
    expect(tooDeep).toMatchObject({ code: 'code-invalid', message: expect.stringContaining('8 levels') });
  });
});

describe('a fetch', () => {
  test('that is larger than it may be is refused, and ended while it still goes on', async () => {
    const repo = git.repository('large');
    const commit = repo.commit({ 'large.bin': randomBytes(3_000_000).toString('base64') });
    const tooLarge = { code: 'code-invalid', message: expect.stringContaining('more than 1000000 bytes') };
    const whole = fetchOf(repo.url, commit, { maxBytes: 1_000_000 });
    expect(await whole.failure()).toMatchObject(tooLarge);
    expect(whole.left()).toEqual([]);
    expect(existsSync(whole.job.toFile)).toBe(false);

    const endless = await host((req, res) => {
      if (req.method !== 'POST') return passOn(req, res);
      ask(req, (answer) => {
        const chunks: Buffer[] = [];
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        // All but its end, which never comes.
        answer.on('end', () => {
          const body = Buffer.concat(chunks);
          res.write(body.length < 10_000 ? body : body.subarray(0, -100));
          if (body.length < 10_000) res.end();
        });
      });
    });
    expect(await fetchOf(`${endless}large.git`, commit, { maxBytes: 1_000_000 }).failure()).toMatchObject(tooLarge);
  });

  test('ends with its agent, though that is killed', async () => {
    let answer: (req: IncomingMessage) => void = () => undefined;
    const asked = new Promise<IncomingMessage>((resolve) => (answer = resolve));
    const silent = await host((req) => answer(req));
    const built = buildTargets();
    try {
      const program = `
        import { resolveCommit } from '${built.folder}/sources/git/resolve.js';
        await resolveCommit({ remote: '${silent}x.git', allowed: ['${silent}'], tmpFolder: '${folder}' }, 'main');`;
      const agent = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
      const { socket } = await asked;
      const gone = once(socket, 'close');
      agent.kill('SIGKILL');
      await gone;
    } finally {
      built.remove();
    }
  });
});
