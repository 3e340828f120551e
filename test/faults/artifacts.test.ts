import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { newestWandb, runWandbScript } from '../support/wandb-clients.js';
import { MemoryWatch } from './support/memory-watch.js';
import { TcpRelay } from './support/tcp-relay.js';

/** The long form: 5,000 files, and 2,048 MiB, from which on the client sends and fetches one file in parts. */
const smallFiles = Number(process.env['DAVIT_TEST_ARTIFACT_FILES'] ?? 300);
const largeMiB = Number(process.env['DAVIT_TEST_ARTIFACT_MIB'] ?? 64);
const KiB = 1024;
const MiB = 1024 * KiB;
const patienceMs = 300_000 + largeMiB * 600 + smallFiles * 60;

/** What both scripts know: names and bytes. No two pieces are alike, so a byte in the wrong place shows. */
const contents = `
import hashlib, os, random, time, wandb
BLOCK = random.Random(7).randbytes(1 << 20)
def small(n):
    return hashlib.sha256(str(n).encode()).digest() * ${(4 * KiB) / 32}
def pieces(mib):
    return (n.to_bytes(8, "big") + BLOCK[8:] for n in range(mib))
FILES, MIB = ${smallFiles}, ${largeMiB}
KIND = os.environ["KIND"]
`;

const uploadScript = `${contents}
os.makedirs("data")
if KIND == "small":
    for n in range(FILES):
        with open(f"data/{n}.bin", "wb") as f: f.write(small(n))
else:
    with open("data/large.bin", "wb") as f:
        for piece in pieces(MIB): f.write(piece)
with wandb.init(project="kills") as run:
    artifact = wandb.Artifact(KIND, type="dataset")
    artifact.add_dir("data", policy="immutable", skip_cache=True)
    began = time.time()
    logged = run.log_artifact(artifact).wait()
    print(f"UPLOADED {logged.version} {time.time() - began:.1f} s")
`;

// With skip_cache=True the client's own threads take each other's paths, and files are missing at the end, whatever the server does.
// A body that is cut is an error in the caller's program, which asks again: what came whole is not fetched twice.
const downloadScript = `${contents}
artifact = wandb.Api().artifact(f"kills/{KIND}:v0")
began, again = time.time(), 0
while True:
    try:
        root = artifact.download(root="down")
        break
    except Exception as error:
        print("AGAIN", type(error).__name__, error)
        again += 1
        assert again < 10
print(f"DOWNLOADED {time.time() - began:.1f} s, {again} times again")
if KIND == "small":
    found, wanted = set(os.listdir(root)), {f"{n}.bin" for n in range(FILES)}
    assert found == wanted, (sorted(found - wanted)[:9], sorted(wanted - found)[:9])
    for n in range(FILES):
        assert open(f"{root}/{n}.bin", "rb").read() == small(n), n
else:
    with open(f"{root}/large.bin", "rb") as f:
        for n, piece in enumerate(pieces(MIB)):
            assert f.read(1 << 20) == piece, n
        assert f.read() == b""
print("RIGHT")
`;

/** The client's own waits between its tries are made for outages of minutes. */
const shortWaits = Object.fromEntries(
  ['FILE_TRANSFER', 'GRAPHQL', 'FILE_STREAM'].flatMap((part) => [
    [`WANDB_X_${part}_RETRY_WAIT_MIN_SECONDS`, '0.2'],
    [`WANDB_X_${part}_RETRY_WAIT_MAX_SECONDS`, '1'],
    [`WANDB_X_${part}_RETRY_MAX`, '60'],
  ]),
);

let stack: Stack;
let relay: TcpRelay;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: 0 });
  relay = await TcpRelay.to(new URL(stack.apiUrl).host);
});
afterAll(async () => {
  relay.close();
  await stack.stop();
});

/** What the long form is for; the short one moves too little to say anything about memory. */
function report(said: string | undefined, memory: MemoryWatch, bytes: number): void {
  const used = memory.stop();
  console.log(`${said}, ${bytes} bytes, API's memory: ${JSON.stringify(used)}`);
  if (bytes >= 1024 * MiB) expect(used.peakMiB * MiB).toBeLessThan(bytes / 4);
}

const timesBack = () => stack.up.events().filter(({ kind, part }) => kind === 'again' && part === 'server').length;

/** Runs the program through the relay, and kills the API when so many bytes are under way. Nothing comes through while somebody looks. */
async function killedInTheMiddle(
  script: string,
  kind: string,
  kill: { bytes: number; towards: 'up' | 'down'; seen?: () => Promise<void> },
): Promise<string> {
  const before = timesBack();
  const killed = relay.after(kill.bytes, kill.towards, () => {
    stack.kill('server');
    if (kill.seen) relay.cut();
  });
  async function look(): Promise<void> {
    await killed;
    if (!kill.seen) return;
    try {
      await kill.seen();
    } finally {
      relay.mend();
    }
  }
  const program = runWandbScript(
    newestWandb,
    script,
    { url: `http://${relay.address}`, key: stack.userKey },
    { KIND: kind, ...shortWaits },
  );
  const [{ code, output }] = await Promise.all([program, Promise.race([look(), program.then(() => undefined)])]);
  const end = output.slice(-3_000);
  await until(() => timesBack() > before, { what: () => `the API to have been killed and to be back: ${end}` });
  expect(code, end).toBe(0);
  return output;
}

const blobsFolder = () => join(stack.home, 'blobs');
const objects = () =>
  readdirSync(join(blobsFolder(), 'objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('artifact+'))
    .map((entry) => entry.name.replaceAll('+', '/'));

const stored = async (kind: string) => {
  const rows = await stack.ask<{ key: string; size: number | null; state: string; file_count: number | null }>(
    `select blob.key, blob.size, artifact.state, artifact.file_count from artifact
      join artifact_collection collection on collection.id = artifact.collection_id and collection.name = '${kind}'
      left join artifact_file file on file.artifact_id = artifact.id
      left join artifact_upload upload on upload.artifact_id = artifact.id
      left join artifact_blob blob on blob.key = coalesce(file.blob_key, upload.blob_key)`,
  );
  return {
    states: [...new Set(rows.map((row) => row.state))],
    blobs: rows,
    whole: rows.filter((row) => row.size !== null),
  };
};

const kinds = [
  { kind: 'small', what: `${smallFiles} small files`, bytes: smallFiles * 4 * KiB, files: smallFiles },
  { kind: 'large', what: `a file of ${largeMiB} MiB`, bytes: largeMiB * MiB, files: 1 },
];

describe.each(kinds)('with the API killed in the middle, $what', ({ kind, bytes, files }) => {
  test('go up whole: nothing shows before the commit, each is stored once', { timeout: patienceMs }, async () => {
    const memory = new MemoryWatch(() => stack.up.pidOf('server'));
    const output = await killedInTheMiddle(uploadScript, kind, {
      bytes: bytes / 2,
      towards: 'up',
      async seen() {
        const { states, whole } = await stored(kind);
        expect(states).toEqual(['PENDING']);
        expect(whole.length).toBeLessThan(files);
      },
    });
    const { states, blobs, whole } = await stored(kind);
    expect(states).toEqual(['COMMITTED']);
    expect([blobs.length, whole.length]).toEqual([files, files]);
    expect(blobs[0]?.file_count).toBe(files);
    expect(whole.reduce((sum, { size }) => sum + Number(size), 0)).toBe(bytes);
    const keys = new Set(objects());
    expect(whole.filter(({ key }) => !keys.has(key))).toEqual([]);
    const known = await stack.ask<{ key: string }>('select key from artifact_blob');
    expect(known.filter(({ key }) => !keys.has(key))).toEqual([]);
    report(/UPLOADED.*/.exec(output)?.[0], memory, bytes);
  });

  test('come down whole, with every byte right', { timeout: patienceMs }, async () => {
    const memory = new MemoryWatch(() => stack.up.pidOf('server'));
    const output = await killedInTheMiddle(downloadScript, kind, { bytes: bytes / 2, towards: 'down' });
    expect(output).toContain('RIGHT');
    report(/DOWNLOADED.*/.exec(output)?.[0], memory, bytes);
  });
});
