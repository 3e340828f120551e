import { expect } from 'vitest';
import { listJobs } from '../../../store/jobs.js';
import type { Scenario, ScenarioContext } from './scenario.js';

/** Each program asserts on its own side what a user sees there: a failed assertion is an exit code of 1, with the line. */

const clean = async (ctx: ScenarioContext, script: string, env: Record<string, string> = {}) => {
  const before = ctx.api.refused.length;
  const result = await ctx.python(script, { env });
  // What newer clients say of files that are there already.
  const complaints = result.complaints.filter((line) => !line.includes('already exists with the same content'));
  expect(complaints, result.output).toEqual([]);
  expect(ctx.api.refused.slice(before)).toEqual([]);
  return result;
};

const versionsScript = `
import os, hashlib, wandb
def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
for n in range(30):
    write(f"data/part {n}/é file.txt", f"content {n % 10}")
def artifact(**metadata):
    made = wandb.Artifact("set", type="dataset", description="some files", metadata=metadata)
    made.add_dir("data")
    return made
with wandb.init(job_type="produce") as run:
    first = run.log_artifact(artifact(rows=30), aliases=["best"]).wait()
    assert first.version == "v0", first.version
    assert set(first.aliases) >= {"best", "latest"}, first.aliases
    assert first.metadata == {"rows": 30}, first.metadata
    # The same files: the same version, with one more alias.
    again = run.log_artifact(artifact(rows=30), aliases=["again"]).wait()
    assert again.version == "v0", again.version
    write("data/part 3/é file.txt", "changed")
    second = run.log_artifact(artifact(rows=31)).wait()
    assert second.version == "v1", second.version
    assert second.size == sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk("data") for f in fs)
with wandb.init(job_type="consume") as run:
    assert run.use_artifact("set:best").version == "v0"
    used = run.use_artifact("set:latest")
    assert used.version == "v1", used.version
    folder = used.download(root="down")
    for d, _, fs in os.walk("data"):
        for f in fs:
            path = os.path.relpath(os.path.join(d, f), "data")
            assert open(os.path.join(d, f)).read() == open(os.path.join(folder, path)).read(), path
    used.verify(folder)
    old = run.use_artifact("set:again").download(root="old")
    assert open(os.path.join(old, "part 3", "é file.txt")).read() == "content 3"
`;

const kindsScript = `
import os, wandb
os.makedirs("files", exist_ok=True)
for name in ["a", "b", "c"]:
    with open(f"files/{name}.txt", "w") as f:
        f.write(name * 10)
with wandb.init() as run:
    # References point elsewhere: nothing of them is uploaded.
    refs = wandb.Artifact("refs", type="dataset")
    refs.add_reference("file://" + os.path.abspath("files/a.txt"), name="local.txt")
    refs.add_reference("http://127.0.0.1:9/nothing", name="web.bin", checksum=False)
    refs.add_file("files/b.txt", name="own.txt")
    refs = run.log_artifact(refs).wait()
    assert refs.file_count == 3, refs.file_count
    assert refs.manifest.entries["web.bin"].ref == "http://127.0.0.1:9/nothing"
    assert refs.get_entry("own.txt").download("got/own") and open(refs.get_entry("own.txt").download("got/own")).read() == "b" * 10
    # What was logged can be added to: only what is new is sent.
    draft = refs.new_draft()
    draft.add_file("files/c.txt", name="more.txt")
    more = run.log_artifact(draft).wait()
    assert more.version == "v1" and set(more.manifest.entries) == {"local.txt", "web.bin", "own.txt", "more.txt"}
    # A file of another artifact.
    other = wandb.Artifact("pointing", type="dataset")
    other.add_reference(more.get_entry("more.txt"), name="pointed.txt")
    other = run.log_artifact(other).wait()
    assert open(other.get_entry("pointed.txt").download("got/pointed")).read() == "c" * 10
    # Nothing in it.
    assert run.log_artifact(wandb.Artifact("empty", type="dataset")).wait().file_count == 0
    # Tables are artifacts of their own.
    table = wandb.Table(columns=["x", "text"], data=[[1, "one"], [2, "two"]])
    run.log({"table": table})
    media = wandb.Artifact("tables", type="result")
    media.add(table, "t")
    media = run.log_artifact(media).wait()
    assert media.get("t").data == [[1, "one"], [2, "two"]]
    code = run.log_code("files", include_fn=lambda p, *a: p.endswith(".txt"))
    assert code is not None and code.wait().type == "code"
`;

const distributedScript = `
import os, wandb
part = os.environ["PART"]
with open(f"part-{part}.txt", "w") as f:
    f.write(part)
with wandb.init(group="many") as run:
    made = wandb.Artifact("together", type="dataset")
    made.add_file(f"part-{part}.txt")
    if part == "last":
        done = run.finish_artifact(made, distributed_id="joint").wait()
        assert done.version == "v0", done.version
        assert set(done.manifest.entries) == {"part-1.txt", "part-2.txt", "part-last.txt"}, done.manifest.entries
        folder = done.download(root="all")
        assert open(os.path.join(folder, "part-1.txt")).read() == "1"
    else:
        run.upsert_artifact(made, distributed_id="joint")
`;

const jobScript = `
import wandb
with wandb.init(config={"lr": 0.1}, settings=wandb.Settings(code_dir=".")) as run:
    run.log_code(".", include_fn=lambda p, *a: p.endswith("train.py"))
    run.log({"loss": 1.0})
`;

export const artifactScenarios: Scenario[] = [
  {
    name: 'artifact-versions',
    promise:
      'Logging the same files makes no new version, changed files make the next one, aliases follow, and what is downloaded is what was logged.',
    run: async (ctx) => void (await clean(ctx, versionsScript)),
  },
  {
    name: 'artifact-kinds',
    promise: 'References, drafts of older versions, tables and code are artifacts like others.',
    run: async (ctx) => void (await clean(ctx, kindsScript)),
  },
  {
    name: 'artifact-distributed',
    promise: 'Several runs write one version, which shows when the last one finishes it.',
    async run(ctx) {
      for (const PART of ['1', '2', 'last']) await clean(ctx, distributedScript, { PART });
    },
  },
  {
    name: 'job-of-a-run',
    promise: 'A tracked run with code leaves a job behind, which is listed as one; a second run of it makes no other.',
    async run(ctx) {
      const env = { WANDB_DISABLE_JOB_CREATION: 'false' };
      await clean(ctx, jobScript, env);
      await clean(ctx, jobScript, env);
      const project = await ctx.api.db
        .selectFrom('project')
        .select('id')
        .where('name', '=', ctx.project)
        .executeTakeFirstOrThrow();
      const jobs = await listJobs(ctx.api.db, project.id, { limit: 10 });
      expect(jobs.map((job) => [job.name.startsWith('job-source-'), job.latest_index])).toEqual([[true, 0]]);
    },
  },
];
