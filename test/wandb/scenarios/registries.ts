import { expect } from 'vitest';
import { facts } from './artifact-reading.js';
import type { Scenario } from './scenario.js';

const registry = `
import json, os, wandb
from pathlib import Path
NAME = os.environ["WANDB_PROJECT"]
R = "wandb-registry-" + NAME
out = {}
def refused(ask):
    try:
        ask()
        return "not"
    except Exception as error:
        return type(error).__name__

api = wandb.Api()
made = api.create_registry(name=NAME, visibility="organization", description="what we ship", artifact_types=["model"])
out["made"] = [made.name, made.full_name, made.entity, made.organization, made.description, made.visibility,
               made.allow_all_artifact_types, list(made.artifact_types)]

with wandb.init(id="maker") as run:
    for i in range(2):
        net = wandb.Artifact("net", type="model", metadata={"i": i})
        with net.new_file("w.txt") as f: f.write(f"weights {i}")
        run.log_artifact(net).wait()
        if i == 0: run.link_artifact(net, R + "/best", aliases=["prod"])
api.artifact("ada/" + NAME + "/net:v1").link(R + "/best", aliases=["next"])

with wandb.init(id="user") as run:
    used = run.use_artifact(R + "/best:v0")
    out["used"] = [used.name, used.project, used.source_name, sorted(used.aliases), used.metadata["i"]]
    out["file"] = Path(used.download(root="dl"), "w.txt").read_text()
# Without an entity, with one, by number and by alias.
out["found"] = [api.artifact(R + "/best:v0").source_version, api.artifact("ada/" + R + "/best:next").source_version,
                api.artifact(R + "/best:latest").version, api.artifact_exists(R + "/best:v7")]
out["used by"] = [r.id for r in api.artifact("ada/" + NAME + "/net:v0").used_by()]

mine = {"name": {"$regex": NAME}}
shelf = api.registry(NAME)
out["listed"] = [[r.name.removeprefix("wandb-registry-"), r.entity] for r in api.registries(filter={"name": R})]
out["collections"] = [[c.name, c.type] for c in shelf.collections()]
best = api.artifact_collection("model", "ada/" + R + "/best")
best.tags = ["shiny"]
best.description = "the best one"
best.save()
out["filtered"] = [[c.name, c.description] for c in api.registries(filter=mine).collections(filter={"tag": "shiny"})]
out["none"] = [len(list(api.registries(filter=mine).collections(filter={"name": "worst"}))),
               len(list(api.registries(filter={"name": {"$regex": "^" + NAME}})))]
out["versions"] = [[v.name, sorted(v.aliases)] for v in shelf.versions()]
out["by alias"] = [v.name for v in api.registries(filter=mine).collections(filter={"name": "best"}).versions(filter={"alias": "prod"})]

shelf.description = "what we shipped"
shelf.artifact_types.append("dataset")
shelf.save()
shelf.name = NAME + "-2"
shelf.save()
again = api.registry(NAME + "-2")
out["changed"] = [again.description, sorted(again.artifact_types), refused(lambda: api.registry(NAME)),
                  api.artifact(R + "-2/best:prod").source_version]
again.delete()
out["deleted"] = [refused(lambda: api.registry(NAME + "-2")), api.artifact_exists("ada/" + NAME + "/net:v0")]
print("FACTS" + json.dumps(out))
`;

const refusals = `
import json, os, traceback, wandb
NAME = os.environ["WANDB_PROJECT"]
R = "wandb-registry-" + NAME
out = {}
def said(ask):
    try:
        ask()
        return "nothing"
    except Exception:
        return traceback.format_exc()

api = wandb.Api()
shelf = api.create_registry(name=NAME, visibility="organization", artifact_types=["model"])
out["twice"] = said(lambda: api.create_registry(name=NAME, visibility="organization"))
out["restricted"] = said(lambda: api.create_registry(name=NAME + "-x", visibility="restricted"))
with wandb.init(id="maker") as run:
    rows = wandb.Artifact("rows", type="dataset")
    with rows.new_file("r.txt") as f: f.write("rows")
    run.log_artifact(rows).wait()
out["type"] = said(lambda: api.artifact("ada/" + NAME + "/rows:v0").link(R + "/rows"))
out["members"] = said(lambda: shelf.members()) if hasattr(shelf, "members") else "has no members of its own"
out["elsewhere"] = said(lambda: api.artifact("eve/" + R + "/rows:v0"))
out["of another"] = said(lambda: api.registry(NAME, organization="eve"))
print("FACTS" + json.dumps(out))
`;

export const registryScenarios: Scenario[] = [
  {
    name: 'registries',
    promise:
      'A registry is made, versions are linked into it by a run and by the public API, found by its path, searched, used, renamed and deleted.',
    async run({ api, project, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(registry);
      expect(result.complaints, result.output).toEqual([]);
      expect(api.refused.slice(refusedBefore)).toEqual([]);
      const path = `wandb-registry-${project}`;
      expect(facts(result)).toEqual({
        made: [project, path, 'ada', 'ada', 'what we ship', 'organization', false, ['model']],
        used: ['best:v0', path, 'net:v0', ['prod'], 0],
        file: 'weights 0',
        found: ['v0', 'v1', 'v1', false],
        'used by': ['user'],
        listed: [[project, 'ada']],
        collections: [['best', 'model']],
        filtered: [['best', 'the best one']],
        none: [0, 0],
        versions: [
          ['best:v1', ['latest', 'next']],
          ['best:v0', ['prod']],
        ],
        'by alias': ['best:v0'],
        changed: ['what we shipped', ['dataset', 'model'], 'ValueError', 'v0'],
        deleted: ['ValueError', true],
      });
    },
  },
  {
    name: 'registry-refusals',
    promise: 'What a registry does not take or does not have is said in a sentence.',
    async run({ python }) {
      const result = await python(refusals);
      const said = facts(result);
      // 0.19 prints what it is told about a link.
      if (said['type'] === 'nothing') said['type'] = result.output;
      expect(said).toEqual({
        twice: expect.stringMatching(/already exists/),
        restricted: expect.stringMatching(/cannot be restricted to some members/),
        type: expect.stringMatching(/takes artifacts of some types only \(model\), and "dataset" is none/),
        members: expect.stringMatching(/has no members of its own/),
        elsewhere: expect.stringMatching(/ValueError/),
        'of another': expect.stringMatching(/ValueError/),
      });
    },
  },
];
