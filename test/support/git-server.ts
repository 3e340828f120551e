import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real git server on loopback: `git http-backend` behind a socket, with repositories that tests make. */
export interface GitServer {
  /** `http://127.0.0.1:port/` */
  url: string;
  repository(name: string): GitRepository;
  /** From now on requests need `Authorization: Basic` of this pair. */
  requirePassword(pair: string | undefined): void;
  close(): Promise<void>;
}

export interface GitRepository {
  url: string;
  folder: string;
  /** Writes the files and commits them; answers the commit. */
  commit(files: Record<string, string>, message?: string): string;
  git(...args: string[]): string;
  /** Takes another repository in; `url` is what is written down of it. To be committed. */
  addSubmodule(of: GitRepository, path: string, url: string): void;
  /** Where it is kept. */
  bare: string;
  /** Makes what was committed visible. */
  push(): void;
}

const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.test', '-c', 'init.defaultBranch=main'];

export async function startGitServer(): Promise<GitServer> {
  const root = mkdtempSync(join(tmpdir(), 'davit-git-'));
  let password: string | undefined;
  const server = createServer((req, res) => {
    const wanted = password && `Basic ${Buffer.from(password).toString('base64')}`;
    if (wanted !== undefined && req.headers.authorization !== wanted) {
      res.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
      return;
    }
    serve(root, req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    repository: (name) => repositoryAt(root, name, url),
    requirePassword: (pair) => {
      password = pair;
    },
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function repositoryAt(root: string, name: string, base: string): GitRepository {
  const bare = join(root, `${name}.git`);
  const folder = join(root, 'work', name);
  mkdirSync(folder, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync('git', [...identity, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GIT_ALLOW_PROTOCOL: 'file:http:https', GIT_CONFIG_NOSYSTEM: '1' },
    }).trim();
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', bare);
  const push = (): void => {
    git('push', '--quiet', '--force', '--all', 'origin');
    git('push', '--quiet', '--force', '--tags', 'origin');
    execFileSync('git', ['update-server-info'], { cwd: bare });
  };
  return {
    url: `${base}${name}.git`,
    folder,
    bare,
    git,
    push,
    // By its folder: this process is the server, and waits for the command.
    addSubmodule(of, path, url) {
      git('-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', of.bare, path);
      git('config', '--file', '.gitmodules', `submodule.${path}.url`, url);
    },
    commit(files, message = 'a change') {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      push();
      return git('rev-parse', 'HEAD');
    },
  };
}

/** CGI: what the request says in variables, its body on standard input, head and body on standard output. */
function serve(root: string, req: IncomingMessage, res: ServerResponse): void {
  const { pathname, search } = new URL(req.url ?? '/', 'http://git');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: req.method,
      CONTENT_TYPE: req.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: req.headers['content-encoding'] ?? '',
      ...(req.headers['git-protocol'] === undefined ? {} : { HTTP_GIT_PROTOCOL: String(req.headers['git-protocol']) }),
    },
  });
  child.stdin.on('error', () => undefined);
  req.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on('data', (piece: Buffer) => {
    if (res.headersSent) {
      res.write(piece);
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = head.subarray(0, end).toString().split('\r\n');
    const headers = lines.map((line) => line.split(/: (.*)/s) as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1];
    res.writeHead(
      status === undefined ? 200 : Number.parseInt(status, 10),
      Object.fromEntries(headers.filter(([name]) => name !== 'Status').map(([name, value]) => [name, value])),
    );
    res.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => res.end());
}
