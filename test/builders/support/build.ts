import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type {
  BuildContext,
  Builder,
  BuildLock,
  BuildOptions,
  BuildRequest,
  BuiltImage,
} from '../../../builders/builder.js';
import { LaunchError } from '../../../domain/errors.js';
import { findEngine } from '../../../targets/docker/address.js';
import { Engine } from '../../../targets/docker/engine.js';

/** As an agent reaches the Engine of this address. */
export const engineAt = (address: string): Engine => new Engine(findEngine(address, {}));

/** One at a time per key, in this process. */
export function processLock(): BuildLock {
  const holders = new Map<string, Promise<unknown>>();
  return async (key, onWait, work) => {
    while (holders.has(key)) {
      onWait();
      await holders.get(key)?.catch(() => undefined);
    }
    const running = work();
    holders.set(key, running);
    try {
      return await running;
    } finally {
      holders.delete(key);
    }
  };
}

/** Folders of code, and builds of them. Each fixture's images differ from all others, so that nothing is found that an earlier run built. */
export function buildFixture() {
  const root = mkdtempSync(join(tmpdir(), 'davit-build-'));
  const salt = randomBytes(6).toString('hex');
  let folders = 0;

  function source(files: Record<string, string>): string {
    const folder = join(root, `code-${folders++}`);
    mkdirSync(folder);
    for (const [path, text] of Object.entries({ ...files, '.salt': salt })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  interface Wish {
    digest?: string;
    requirements?: string;
    entryFolder?: string;
    options?: BuildOptions;
    secrets?: Record<string, string>;
    owner?: string;
    context?: Partial<BuildContext>;
  }

  /** `fetched`: how often the source was asked for. */
  async function build(builder: Builder, files: Record<string, string>, wish: Wish = {}) {
    let log = '';
    let fetched = 0;
    const request: BuildRequest = {
      sourceDigest:
        wish.digest ??
        createHash('sha256')
          .update(JSON.stringify([salt, files]))
          .digest('hex'),
      pythonVersion: '3.11',
      requirements: wish.requirements,
      entryFolder: wish.entryFolder ?? '',
      options: wish.options ?? {},
      owner: wish.owner ?? 'ada/ada',
    };
    const context: BuildContext = {
      signal: new AbortController().signal,
      onLog: (text) => (log += text),
      source: async () => {
        fetched++;
        return source(files);
      },
      secret: async (name) => {
        const value = wish.secrets?.[name];
        if (value === undefined) throw new Error(`no secret ${name}`);
        return value;
      },
      alone: processLock(),
      ...wish.context,
    };
    let image: BuiltImage | undefined;
    let error: Error | undefined;
    try {
      image = await builder.ensureImage(request, context);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    return {
      log,
      fetched,
      get image(): BuiltImage {
        if (image === undefined) throw error ?? new Error('neither image nor error');
        return image;
      },
      get failure(): { code: string; message: string } {
        if (error === undefined) throw new Error(`it was built: ${image?.image}\n${log}`);
        if (!(error instanceof LaunchError)) throw error;
        return { code: error.code, message: error.message };
      },
    };
  }

  return { root, salt, source, build, remove: () => rmSync(root, { recursive: true, force: true }) };
}
