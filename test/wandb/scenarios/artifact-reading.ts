import { expect } from 'vitest';
import type { PythonResult } from '../../support/run-python.js';
import type { Scenario } from './scenario.js';

/** What the program prints last: facts, to be compared in one piece. */
export function facts(result: PythonResult): Record<string, unknown> {
  return JSON.parse(/^FACTS(.*)$/m.exec(result.output)?.[1] ?? '{}') as Record<string, unknown>;
}

const reading = `
import json, os, wandb
from pathlib import Path
P = "ada/" + os.environ["WANDB_PROJECT"]
for i in range(3):
    with wandb.init(id=f"maker{i}") as run:
        a = wandb.Artifact("numbers", type="dataset", metadata={"i": i}, description=f"number {i}")
        with a.new_file("plain.txt") as f: f.write(f"plain {i}")
        with a.new_file("deep/odd name #1 %.txt") as f: f.write("odd")
        a.add(wandb.Table(columns=["x", "y"], data=[[i, "a"], [i + 1, "b"]]), "table")
        if i == 2:
            Path("elsewhere.txt").write_text("over there")
            a.add_reference("file://" + os.path.abspath("elsewhere.txt"), name="ref/elsewhere.txt")
        run.log_artifact(a, aliases=["first"] if i == 0 else ["newest"])

out = {}
with wandb.init(id="user") as run:
    used = run.use_artifact("numbers:first")
    out["used"] = [used.version, used.metadata["i"]]
    out["used latest"] = run.use_artifact("numbers:latest").version

api = wandb.Api()
a = api.artifact(P + "/numbers:latest")
out["latest"] = [a.version, sorted(a.aliases), a.metadata["i"], a.description, a.type, a.state, a.entity, a.project, a.ttl, a.tags]
out["counts"] = [a.file_count, a.size == sum(e.size for e in a.manifest.entries.values())]
out["digest"] = a.digest == a.manifest.digest()
a.download(root="all")
a.verify(root="all")
out["files on disk"] = sorted(str(p.relative_to("all")) for p in Path("all").rglob("*") if p.is_file())
out["reference"] = Path("all/ref/elsewhere.txt").read_text()
a.download(root="part", path_prefix="deep/")
out["part"] = sorted(str(p.relative_to("part")) for p in Path("part").rglob("*") if p.is_file())
Path("co/stray").mkdir(parents=True); Path("co/stray/x").write_text("x")
a.checkout(root="co")
out["checkout"] = [os.path.exists("co/stray/x"), os.path.exists("co/plain.txt")]
table = a.get("table")
out["table"] = [table.columns, table.data]
files = {f.name: f.size for f in a.files()}
out["files"] = [sorted(files), files["plain.txt"]]
out["named file"] = [f.name for f in a.files(names=["plain.txt"])]
out["file"] = list(a.files(names=["plain.txt"]))[0].download(root="ff", replace=True).read()
out["old"] = [api.artifact(P + "/numbers:v0").metadata["i"], api.artifact(P + "/numbers:first").version]
out["versions"] = [x.version for x in api.artifacts("dataset", P + "/numbers", per_page=2)]
out["exists"] = [api.artifact_exists(P + "/numbers:v1"), api.artifact_exists(P + "/numbers:v9"), api.artifact_exists(P + "/no"),
                 api.artifact_collection_exists(P + "/numbers", "dataset")]
out["types"] = [t.name for t in api.artifact_types(P) if t.name == "dataset"]
out["collections"] = [c.name for c in api.artifact_type("dataset", P).collections()]
out["collection"] = sorted(api.artifact_collection("dataset", P + "/numbers").aliases)
out["logged"] = [x.name for x in api.run(P + "/maker1").logged_artifacts() if x.type == "dataset"]
out["used by run"] = sorted(x.name for x in api.run(P + "/user").used_artifacts())
out["used by"] = [r.id for r in api.artifact(P + "/numbers:v0").used_by()]
out["logged by"] = api.artifact(P + "/numbers:v0").logged_by().id
try:
    api.artifact(P + "/nothing:latest")
except Exception as error:
    out["missing"] = type(error).__name__
# Last of all: the client keeps writing every later download of the process to the path of one that passed the cache by.
out["one"] = Path(a.get_entry("deep/odd name #1 %.txt").download(root="one", skip_cache=True)).read_text()
print("FACTS" + json.dumps(out))
`;

const editing = `
import json, os, wandb
from datetime import timedelta
from pathlib import Path
P = "ada/" + os.environ["WANDB_PROJECT"]
with wandb.init(id="maker") as run:
    for name, n in (("model", 3), ("other", 1)):
        for i in range(n):
            a = wandb.Artifact(name, type="model")
            with a.new_file("w.txt") as f: f.write(f"{name} {i}")
            run.log_artifact(a).wait()
    linked = run.link_artifact(a, P + "/shelf", aliases=["from-run"])

api = wandb.Api()
out = {}
a = api.artifact(P + "/model:v0")
a.aliases.append("prod")
a.tags.append("good")
a.description = "said"
a.metadata["k"] = {"deep": [1]}
a.save()
b = api.artifact(P + "/model:prod")
out["edited"] = [b.version, b.aliases, b.tags, b.description, b.metadata, b.ttl]
# By its number: 0.19 takes what was found by another alias for a link.
b = api.artifact(P + "/model:v0")
b.aliases = ["prod", "stage"]
b.tags = ["fine"]
b.ttl = timedelta(days=2)
b.save()
c = api.artifact(P + "/model:stage")
out["edited again"] = [sorted(c.aliases), c.tags, c.ttl.days]
c = api.artifact(P + "/model:v0")
c.aliases.remove("prod")
c.ttl = None
c.save()
out["alias gone"] = [api.artifact_exists(P + "/model:prod"), api.artifact(P + "/model:stage").ttl]

api.artifact(P + "/model:v1").link(P + "/shelf", aliases=["best"])
s = api.artifact(P + "/shelf:best")
out["linked"] = [s.version, s.source_version, s.source_name, s.is_link, s.collection.name]
out["linked from the run"] = api.artifact(P + "/shelf:from-run").source_name
s.download(root="linked")
out["linked file"] = Path("linked/w.txt").read_text()
out["links"] = [x.qualified_name for x in api.artifact(P + "/model:v1").linked_artifacts]
api.artifact(P + "/shelf:v1").unlink()
out["unlinked"] = [api.artifact_exists(P + "/shelf:best"), api.artifact_exists(P + "/model:v1")]

try:
    api.artifact(P + "/model:v2").delete()
    out["refused"] = "not"
except Exception as error:
    out["refused"] = "aliases (latest)" in str(error)
api.artifact(P + "/model:v2").delete(delete_aliases=True)
out["deleted"] = [api.artifact_exists(P + "/model:v2"), api.artifact(P + "/model:latest").version]

k = api.artifact_collection("model", P + "/other")
k.name = "renamed"
k.description = "about"
k.tags = ["shiny"]
k.save()
k = api.artifact_collection("model", P + "/renamed")
out["collection"] = [k.description, k.tags, api.artifact_collection_exists(P + "/other", "model")]
k.delete()
out["collection gone"] = [api.artifact_collection_exists(P + "/renamed", "model"), api.artifact_exists(P + "/renamed:v0")]
api.artifact_collection("model", P + "/shelf").delete()
out["portfolio gone"] = [api.artifact_collection_exists(P + "/shelf", "model"), api.artifact_exists(P + "/model:v1")]
print("FACTS" + json.dumps(out))
`;

export const artifactReadingScenarios: Scenario[] = [
  {
    name: 'artifact-reading',
    promise:
      'What was logged is found by alias and version, downloaded whole or in part, verified, and told where it came from and who used it.',
    async run({ api, project, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(reading);
      // Which is what verify() says of references.
      expect(result.complaints, result.output).toEqual([expect.stringContaining('skipped verification of 1 refs')]);
      expect(api.refused.slice(refusedBefore)).toEqual([]);
      const all = ['deep/odd name #1 %.txt', 'plain.txt', 'ref/elsewhere.txt', 'table.table.json'];
      expect(facts(result)).toEqual({
        used: ['v0', 0],
        'used latest': 'v2',
        latest: ['v2', ['latest', 'newest'], 2, 'number 2', 'dataset', 'COMMITTED', 'ada', project, null, []],
        counts: [4, true],
        digest: true,
        'files on disk': all,
        reference: 'over there',
        part: ['deep/odd name #1 %.txt'],
        one: 'odd',
        checkout: [false, true],
        table: [
          ['x', 'y'],
          [
            [2, 'a'],
            [3, 'b'],
          ],
        ],
        files: [all, 7],
        'named file': ['plain.txt'],
        file: 'plain 2',
        old: [0, 'v0'],
        versions: ['v2', 'v1', 'v0'],
        exists: [true, false, false, true],
        types: ['dataset'],
        collections: ['numbers'],
        collection: ['first', 'latest', 'newest'],
        logged: ['numbers:v1'],
        'used by run': ['numbers:v0', 'numbers:v2'],
        'used by': ['user'],
        'logged by': 'maker0',
        missing: 'CommError',
      });
    },
  },
  {
    name: 'artifact-editing',
    promise:
      'Aliases, tags, description, metadata, time to live, links and collections are changed by the public API, and deletion asks first.',
    async run({ api, project, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(editing);
      expect(result.complaints, result.output).toEqual([]);
      expect(api.refused.slice(refusedBefore)).toEqual([]);
      expect(facts(result)).toEqual({
        edited: ['v0', ['prod'], ['good'], 'said', { k: { deep: [1] } }, null],
        'edited again': [['prod', 'stage'], ['fine'], 2],
        'alias gone': [false, null],
        linked: ['v1', 'v1', 'model:v1', true, 'shelf'],
        'linked from the run': 'other:v0',
        'linked file': 'model 1',
        links: [`ada/${project}/shelf:v1`],
        unlinked: [false, true],
        refused: true,
        deleted: [false, 'v1'],
        collection: ['about', ['shiny'], false],
        'collection gone': [false, false],
        'portfolio gone': [false, true],
      });
    },
  },
];
