import { expect } from 'vitest';
import type { Scenario } from './scenario.js';

const oddNames = [
  'weights final.bin',
  'größe ✓.txt',
  '100%.txt',
  '50%25.txt',
  'a#b?c&d.txt',
  `quo'te.txt`,
  'empty.bin',
];

const saving = `
import os, wandb
run = wandb.init(id="saver")
os.makedirs("out/deep", exist_ok=True)
for name in ${JSON.stringify(oddNames)}:
    with open(os.path.join("out", name), "wb") as file:
        file.write(b"" if name == "empty.bin" else ("bytes of " + name).encode())
with open("out/deep/inner.txt", "w") as file: file.write("inner")
with open("ends.txt", "w") as file: file.write("early")
with open("lives.txt", "w") as file: file.write("first")
with open("rewritten.txt", "w") as file: file.write("old and longer")
for name in os.listdir("out"):
    if name != "deep": run.save(os.path.join("out", name), base_path="out", policy="now")
run.save("out/deep/inner.txt", base_path="out", policy="now")
run.save("out/deep/*.txt", policy="now")
run.save("./rewritten.txt", policy="now")
run.save("lives.txt", policy="live")
run.save("ends.txt", policy="end")
run.log({"loss": 1})
with open("ends.txt", "w") as file: file.write("late")
with open("lives.txt", "w") as file: file.write("first and second")
run.finish()
`;

const reading = `
import io, os, sys, wandb, hashlib, base64
api = wandb.Api()
path = os.environ["WANDB_PROJECT"]
run = api.run(path + "/saver")

def bytes_of(name):
    with run.file(name).download(root="down", replace=True) as file: pass
    with open(os.path.join("down", name), "rb") as file: return file.read()

names = {file.name: file for file in run.files()}
for name in ${JSON.stringify(oddNames)}:
    wanted = b"" if name == "empty.bin" else ("bytes of " + name).encode()
    assert name in names, (name, list(names))
    assert names[name].size == len(wanted), (name, names[name].size)
    assert names[name].md5 == base64.b64encode(hashlib.md5(wanted).digest()).decode(), (name, names[name].md5)
    if "?" not in name: assert bytes_of(name) == wanted, name
assert names["größe ✓.txt"].mimetype == "text/plain"
assert names["empty.bin"].mimetype is None
assert bytes_of("deep/inner.txt") == b"inner" and bytes_of("out/deep/inner.txt") == b"inner"
assert bytes_of("ends.txt") == b"late", bytes_of("ends.txt")
assert bytes_of("lives.txt") == b"first and second", bytes_of("lives.txt")
assert run.file("./rewritten.txt").download(root="dots", replace=True).read() == "old and longer"

# From inside the public API: replaced, deleted, and not there.
with open("rewritten.txt", "w") as file: file.write("new")
run.upload_file("rewritten.txt")
assert bytes_of("rewritten.txt") == b"new"
assert run.file("rewritten.txt").size == 3
assert {file.name for file in run.files(["deep/inner.txt", "rewritten.txt"])} == {"deep/inner.txt", "rewritten.txt"}
assert len([file for file in run.files(per_page=3)]) == len(names)
run.file("100%.txt").delete()
assert "100%.txt" not in [file.name for file in run.files()]
missing = run.file("never.txt")
assert missing.md5 == "0" and missing.size == 0
try:
    missing.download(root="down", replace=True)
    raise SystemExit("a file that is not there was downloaded")
except (wandb.errors.CommError, ValueError) as error:
    assert "404" in str(error) or "not found" in str(error).lower(), error
except Exception as error:
    assert "404" in str(error), (type(error), error)
restored = wandb.restore("lives.txt", run_path=run.entity + "/" + path + "/saver", root="again")
assert restored.read() == "first and second"
try:
    wandb.restore("never.txt", run_path=run.entity + "/" + path + "/saver", root="again")
    raise SystemExit("a file that is not there was restored")
except ValueError as error:
    assert "not found" in str(error), error
print("read everything")
`;

const describing = `
import os, subprocess, sys, wandb
open("helper.py", "w").write("x = 1\\n")
def git(*args): subprocess.run(["git", "-c", "user.email=a@example.test", "-c", "user.name=a", *args], check=True, capture_output=True)
git("init", "-q", ".")
git("remote", "add", "origin", "https://git.example.test/team/repo.git")
git("add", "train.py", "helper.py")
git("commit", "-q", "-m", "first")
open("helper.py", "w").write("x = 2  # not committed\\n")
run = wandb.init(id="described", save_code=True)
run.log({"loss": 1})
commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
run.finish()
found = wandb.Api().run(os.environ["WANDB_PROJECT"] + "/described")
meta = found.metadata
assert meta["git"]["commit"] == commit and meta["git"]["remote"].endswith("team/repo.git"), meta
assert meta["program"].endswith("train.py") and meta["args"] == ["--lr", "0.1"], meta
assert meta["python"] and meta["os"], meta
assert found.commit == commit, found.commit
names = [file.name for file in found.files()]
for name in ["diff.patch", "requirements.txt", "wandb-metadata.json", "config.yaml", "wandb-summary.json", "output.log"]:
    assert name in names or name == "output.log", (name, names)
assert "code/train.py" in names, names
assert "not committed" in found.file("diff.patch").download(root="down", replace=True).read()
assert "wandb==" in found.file("requirements.txt").download(root="down", replace=True).read()
assert "import wandb" in found.file("code/train.py").download(root="down", replace=True).read()
print("commit", commit)
`;

export const fileScenarios: Scenario[] = [
  {
    name: 'saved-files',
    promise:
      'Files saved under any policy, folder and name are listed with size and digest, come back byte for byte, can be replaced, restored and deleted, and a missing one says so.',
    async run({ python }) {
      const wrote = await python(saving);
      expect(
        wrote.complaints.filter((line) => !line.includes('Symlinked')),
        wrote.output,
      ).toEqual([]);
      const read = await python(reading);
      expect(read.output).toContain('read everything');
    },
  },
  {
    name: 'code-and-metadata',
    promise:
      'A run keeps its program, the diff against its commit, its requirements and where it was made, and all can be read from outside.',
    async run({ api, project, folder, python }) {
      const program = `import sys; sys.argv += ["--lr", "0.1"]\n${describing}`;
      const result = await python(program, {
        env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CEILING_DIRECTORIES: folder },
      });
      expect(result.complaints, result.output).toEqual([]);
      const commit = /commit ([0-9a-f]{40})/.exec(result.output)?.[1];
      const answer = await api.graphql<{ project: { run: Record<string, unknown> } }>(
        `query Q($p: String!) { project(name: $p) { run(name: "described") {
          commit runInfo { program args os python codeSaved cpuCount git { remote commit } } } } }`,
        { p: project },
      );
      expect(answer.data.project.run).toMatchObject({
        commit,
        runInfo: { args: ['--lr', '0.1'], codeSaved: true, git: { commit } },
      });
    },
  },
];
