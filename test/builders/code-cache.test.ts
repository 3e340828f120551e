import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { CodeCache } from '../../builders/code/cache.js';

const root = mkdtempSync(join(tmpdir(), 'davit-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const wanted = new AbortController().signal;
let files = 0;
const somewhere = (): string => join(root, `out-${files++}`);
const digest = (n: number): string => n.toString(16).padStart(32, '0');

/** A cache, and how often it fetched. */
function cache(maxBytes: number) {
  const folder = join(root, `cache-${files++}`);
  const opened = new CodeCache({ folder, maxBytes });
  let fetched = 0;
  const take = async (n: number, bytes = 100): Promise<string> => {
    const to = somewhere();
    await opened.take(
      digest(n),
      to,
      async (file) => {
        fetched++;
        writeFileSync(file, String(n).repeat(bytes));
      },
      wanted,
    );
    return to;
  };
  return { folder, opened, take, fetched: () => fetched, kept: () => (existsSync(folder) ? readdirSync(folder) : []) };
}

it('fetches the same code once, also for two who want it at the same time', async () => {
  const { take, fetched } = cache(10_000);
  const [a, b] = await Promise.all([take(1), take(1)]);
  const c = await take(1);
  expect(fetched()).toBe(1);
  for (const file of [a, b, c]) expect(readFileSync(file, 'utf8')).toBe('1'.repeat(100));
});

it('stays under its size: what was not used for longest goes, and who has it keeps it', async () => {
  const { folder, take, fetched, kept } = cache(250);
  const first = await take(1);
  await take(2);
  const past = new Date(Date.now() - 60_000);
  utimesSync(join(folder, `${digest(1)}.tar.gz`), past, past);
  await take(3);
  expect(kept().sort()).toEqual([`${digest(2)}.tar.gz`, `${digest(3)}.tar.gz`]);
  expect(readFileSync(first, 'utf8')).toBe('1'.repeat(100));
  await take(1);
  expect(fetched()).toBe(4);
});

it('keeps nothing of a fetch that failed, nothing larger than itself, and nothing at size 0', async () => {
  const broken = cache(1_000);
  const fails = broken.opened.take(
    digest(1),
    somewhere(),
    async (file) => {
      writeFileSync(file, 'half');
      throw new Error('cut off');
    },
    wanted,
  );
  await expect(fails).rejects.toThrow('cut off');
  expect(broken.kept()).toEqual([]);
  expect(readFileSync(await broken.take(2, 5_000), 'utf8')).toHaveLength(5_000);
  expect(broken.kept()).toEqual([]);
  const none = cache(0);
  await none.take(1);
  expect(none.kept()).toEqual([]);
});

it('takes no path for a digest', async () => {
  const { folder, opened, kept } = cache(1_000);
  mkdirSync(folder, { recursive: true });
  await opened.take('../../etc/passwd', somewhere(), async (file) => writeFileSync(file, 'x'), wanted);
  expect(kept()).toEqual([]);
});

it('lets who waits for the fetch of somebody else go, and the fetch go on', async () => {
  const { opened, take, fetched } = cache(1_000);
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const first = somewhere();
  const fetching = opened.take(
    digest(1),
    first,
    async (file) => {
      await arrived;
      writeFileSync(file, 'late');
    },
    wanted,
  );
  const cancel = new AbortController();
  const waiting = opened.take(digest(1), somewhere(), () => Promise.reject(new Error('not mine')), cancel.signal);
  cancel.abort(new Error('cancelled'));
  await expect(waiting).rejects.toThrow('cancelled');
  arrive();
  await fetching;
  expect(readFileSync(first, 'utf8')).toBe('late');
  await take(1);
  expect(fetched()).toBe(0);
});

it('removes what killed agents left half fetched, once it is old', async () => {
  const { folder, take, kept } = cache(1_000);
  const past = new Date(Date.now() - 48 * 3600_000);
  for (const name of ['a.part.git-work', 'b.part', 'c.part.git-work', 'd.part']) {
    const path = join(folder, name);
    if (name.endsWith('.part')) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, 'half');
    } else {
      mkdirSync(join(path, '.git'), { recursive: true });
      writeFileSync(join(path, '.git', 'config'), '');
    }
    if (name < 'c') utimesSync(path, past, past);
  }
  await take(1);
  expect(kept().sort()).toEqual([`${digest(1)}.tar.gz`, 'c.part.git-work', 'd.part'].sort());
});
