import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { DavitError } from '../domain/errors.js';
import type { ArtifactFile } from './artifacts.js';
import type { Blobs } from './blobs/blobs.js';
import { DigestStream } from './blobs/digest.js';
import { contentKey, putContent } from './content.js';

export interface CodeLimits {
  archiveBytes: number;
  /** Unpacked. */
  bytes: number;
  files: number;
}

export interface CodeUpload {
  files: ArtifactFile[];
  /** Contents of the small files that say how to run the code, by path; only those that were there. */
  texts: Map<string, string>;
}

/** Files of the top folder that are read, besides being stored. */
const readFiles = ['requirements.txt', 'runtime.txt', '.python-version'];
const readFileBytes = 1024 * 1024;

/** As the wandb client does: leavings of runs and of git are not part of a job. */
const leftOut = (path: string): boolean => path.split('/').some((part) => part === '.git' || part === 'wandb');

/** Files up to this size are held in memory, several at a time; larger ones pass through a temporary file. */
const memoryBytes = 4 * 1024 * 1024;
const parallelPuts = 8;

/**
 * Takes a gzipped tar apart and stores its files under their content's hash. Nothing is ever unpacked by the archive's own names, and the
 * names are checked all the same, because an agent will unpack them. Throws `code-invalid` or `body-too-large`.
 */
export async function storeCodeUpload(blobs: Blobs, archive: Readable, limits: CodeLimits): Promise<CodeUpload> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-code-'));
  try {
    return await new Upload(blobs, folder, limits).run(archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class Upload {
  private readonly files = new Map<string, ArtifactFile | undefined>();
  private readonly folders = new Set<string>();
  private readonly texts = new Map<string, string>();
  private readonly work = new Set<Promise<void>>();
  private readonly stop = new AbortController();
  private storing = 0;
  private readonly waiting: (() => void)[] = [];
  private bytes = 0;
  private temporaries = 0;

  constructor(
    private readonly blobs: Blobs,
    private readonly folder: string,
    private readonly limits: CodeLimits,
  ) {}

  async run(archive: Readable): Promise<CodeUpload> {
    // Strict: a damaged archive is refused, not read as far as it goes.
    const parser = new Parser({ strict: true });
    const { stop } = this;
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      stop.abort();
    };
    parser.on('entry', (entry: ReadEntry) => {
      const work: Promise<void> = this.take(entry)
        .catch(fail)
        .finally(() => this.work.delete(work));
      this.work.add(work);
    });
    // Symbolic and hard links are `entry`; what the parser knows no name for is here.
    parser.on('ignoredEntry', (entry: ReadEntry) => {
      if (!entry.meta) fail(invalid(`"${shown(entry.path)}" is neither a file nor a folder.`));
    });
    parser.on('error', fail);
    const done = new Promise<void>((resolve) => parser.on('end', resolve));
    try {
      await pipeline(
        archive,
        atMost(this.limits.archiveBytes, 'The archive'),
        createGunzip(),
        // Headers and padding come on top of the files, up to 1 KiB each.
        atMost(this.limits.bytes + this.limits.files * 1536 + 1024 * 1024, 'The unpacked code'),
        async (tar: AsyncIterable<Buffer>) => {
          for await (const piece of tar) {
            // A parser with an entry that is not read yet says so; it is drained by `take`.
            if (!parser.write(piece) && !stop.signal.aborted) await drained(parser, stop.signal);
          }
          parser.end();
          await Promise.race([done, aborted(stop.signal)]);
        },
        { signal: stop.signal },
      );
    } catch (error) {
      failure ??= error;
    }
    // Nothing fails here: failures are noted. After one, entries that nobody will feed again are not waited for.
    if (failure === undefined) await Promise.all(this.work);
    if (failure !== undefined) throw asCodeError(failure);
    const files = [...this.files.values()].filter((file) => file !== undefined);
    if (files.length === 0) throw invalid('It holds no files.');
    return { files, texts: this.texts };
  }

  private async take(entry: ReadEntry): Promise<void> {
    const path = checkedPath(entry.path);
    if (entry.type === 'SymbolicLink' || entry.type === 'Link')
      throw invalid(`"${shown(entry.path)}" is a link; send plain files (tar --dereference follows links).`);
    const isFolder = entry.type === 'Directory';
    if (!isFolder && !['File', 'OldFile', 'ContiguousFile'].includes(entry.type))
      throw invalid(`"${shown(entry.path)}" is neither a file nor a folder.`);
    if (path === '' || leftOut(path)) {
      if (!isFolder && path === '') throw invalid('It holds a file without a name.');
      entry.resume();
      return;
    }
    this.register(path, isFolder);
    if (isFolder) {
      entry.resume();
      return;
    }
    this.bytes += entry.size;
    if (this.bytes > this.limits.bytes)
      throw new DavitError('body-too-large', `The unpacked code is larger than ${this.limits.bytes} bytes.`);
    // Before the entry is read: an entry that is not read holds up the archive, so memory stays bounded.
    await this.turn();
    try {
      this.files.set(path, await (entry.size > memoryBytes ? this.viaFile(path, entry) : this.viaMemory(path, entry)));
    } finally {
      this.storing -= 1;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    while (this.storing >= parallelPuts) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.storing += 1;
  }

  private async viaMemory(path: string, entry: ReadEntry): Promise<ArtifactFile> {
    const data = await entry.concat();
    if (readFiles.includes(path) && data.length <= readFileBytes) this.texts.set(path, data.toString('utf8'));
    return putContent(this.blobs, path, data);
  }

  /** Refuses two files of one name, and a file that is also a folder: an agent could not unpack them. */
  private register(path: string, isFolder: boolean): void {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length + (isFolder ? 1 : 0); depth++) {
      const above = parts.slice(0, depth).join('/');
      if (this.files.has(above)) throw invalid(`"${shown(above)}" is both a file and a folder.`);
      this.folders.add(above);
    }
    if (isFolder) return;
    if (this.files.has(path)) throw invalid(`"${shown(path)}" is in it twice.`);
    if (this.folders.has(path)) throw invalid(`"${shown(path)}" is both a file and a folder.`);
    if (this.files.size >= this.limits.files)
      throw new DavitError('body-too-large', `The code has more than ${this.limits.files} files.`);
    this.files.set(path, undefined);
  }

  private async viaFile(path: string, entry: ReadEntry): Promise<ArtifactFile> {
    const temporary = join(this.folder, String(this.temporaries++));
    const digest = new DigestStream(entry.size);
    await pipeline(entry as AsyncIterable<Buffer>, digest, createWriteStream(temporary), { signal: this.stop.signal });
    const { size, md5Base64: md5, sha256Hex } = digest.digest();
    if (size !== entry.size) throw invalid(`"${shown(path)}" is cut.`);
    const blobKey = contentKey(sha256Hex);
    if ((await this.blobs.stat(blobKey))?.size !== size)
      await this.blobs.put(blobKey, createReadStream(temporary), { maxBytes: size });
    await rm(temporary, { force: true });
    return { path, md5, size, blobKey };
  }
}

/** The entry's path inside the job: relative, forward slashes, no "..". */
function checkedPath(raw: string): string {
  if (raw.includes('\0') || raw.includes('\\'))
    throw invalid(`"${shown(raw)}" has a character that a path may not have.`);
  if (raw.startsWith('/') || /^[A-Za-z]:/.test(raw)) throw invalid(`"${shown(raw)}" is not a relative path.`);
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalid(`"${shown(raw)}" leaves the folder.`);
  const path = parts.join('/');
  if (path.length > 1024 || parts.some((part) => Buffer.byteLength(part) > 255))
    throw invalid(`"${shown(raw)}" is too long for a path.`);
  return path;
}

const shown = (path: string): string => path.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');

const invalid = (sentence: string): DavitError =>
  new DavitError('code-invalid', `The code archive cannot be used. ${sentence}`);

function asCodeError(error: unknown): Error {
  if (error instanceof DavitError) return error;
  const code = (error as { code?: string; tarCode?: string }).code ?? '';
  const isTar = typeof (error as { tarCode?: string }).tarCode === 'string' || code.startsWith('TAR_');
  if (code.startsWith('Z_') || isTar) return invalid('It is not a whole gzipped tar archive.');
  return error instanceof Error ? error : new Error(String(error));
}

function atMost(limit: number, what: string): Transform {
  let seen = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      seen += piece.length;
      if (seen > limit) done(new DavitError('body-too-large', `${what} is larger than ${limit} bytes.`));
      else done(null, piece);
    },
  });
}

const drained = (parser: Parser, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      parser.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = () => end();
    const onAbort = () => end(new Error('stopped'));
    parser.on('drain', onDrain);
    signal.addEventListener('abort', onAbort);
  });

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(new Error('stopped'));
    else signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });
