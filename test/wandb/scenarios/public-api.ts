import { expect } from 'vitest';
import { configOf } from './listed-config.js';
import type { Scenario } from './scenario.js';

const outOf = (output: string): Record<string, unknown> =>
  JSON.parse(/^OUT(.*)$/m.exec(output)?.[1] ?? '{}') as Record<string, unknown>;

const makeRuns = `
import json, os, wandb
project = os.environ["WANDB_PROJECT"]
for i in range(6):
    run = wandb.init(id=f"r{i}", name=f"night-{i}" if i % 2 else f"day-{i}", group="odd" if i % 2 else "even", tags=["best"] if i == 3 else ["plain"],
        config={"lr": i / 10, "model": {"depth": i, "kind": "cnn" if i < 3 else "vit"}, "flag": i == 2})
    run.log({"loss": float("nan") if i == 5 else 1.0 / (i + 1)})
    run.finish(exit_code=1 if i == 4 else 0)
`;

const query = `
${configOf}
import json, os, wandb
project = os.environ["WANDB_PROJECT"]
api = wandb.Api()
path = "ada/" + project
ids = lambda filters, **more: sorted(r.id for r in api.runs(path, filters=filters, **more))
out = {
    "state": ids({"state": "failed"}),
    "config": ids({"config.lr": {"$gt": 0.15, "$lt": 0.45}}),
    "value": ids({"config.flag.value": True}),
    "nested": ids({"config.model.value.kind": "vit"}),
    "either": ids({"$or": [{"config.model.depth": 1}, {"display_name": {"$regex": "^day-[45]$"}}]}),
    "summary": ids({"summary_metrics.loss": {"$lt": 0.4}}),
    "tags": ids({"tags": {"$in": ["best"]}}),
    "not": ids({"$and": [{"tags": {"$ne": "best"}}, {"group": {"$nin": ["even"]}}]}),
    "created": len(ids({"createdAt": {"$gt": "2020-01-01T00:00:00"}})),
    "exists": ids({"config.nothing": {"$exists": True}}),
    "order": [r.id for r in api.runs(path, order="-summary_metrics.loss")],
    "config_order": [r.id for r in api.runs(path, order="+config.lr.value")],
    "default_order": [r.id for r in api.runs(path)],
    "pages": sorted(r.id for r in api.runs(path, per_page=2)),
    "len": len(api.runs(path, filters={"group": "odd"})),
    "full": {r.id: config_of(r)["lr"] for r in api.runs(path, order="+created_at")}["r2"],
    "project": api.project(project, entity="ada").name if hasattr(api, "project") else project,
    "projects": project in [p.name for p in api.projects("ada")],
    "from_path": api.from_path(path + "/r1").id,
    "reports": len(api.reports(path)),
    "viewer": api.viewer.username,
    "teams": sorted(api.viewer.teams),
}
for name, filters in {"key": {"colour": 1}, "operator": {"state": {"$near": 1}}, "regex": {"name": {"$regex": "(?=a)"}}}.items():
    try:
        list(api.runs(path, filters=filters))
    except Exception as error:
        out["bad_" + name] = str(error)
made = api.create_run(run_id="shell", project=project, entity="ada")
out["created_run"] = made.id
run = api.run(path + "/r0")
run.delete()
# Another one: the first remembers its answers.
api = wandb.Api()
out["left"] = ids({})
print("OUT" + json.dumps(out))
`;

const people = `
import json, os, wandb
api = wandb.Api()
name = "team-" + os.environ["WANDB_PROJECT"].lower()[:40]
team = api.create_team(name)
members = [m.username for m in team.members]
try:
    invited = team.invite("nobody-here")
except Exception as error:
    # Clients up to 0.25 say why.
    invited = "no user" not in str(error)
project = "made-" + os.environ["WANDB_PROJECT"]
api.create_project(project, "ada")
print("OUT" + json.dumps({"team": team.name == name, "members": members, "invited": invited,
    "made": project in [p.name for p in api.projects("ada")], "users": [u.username for u in api.users("ada")]}))
`;

const keys = `
import json, wandb
user = wandb.Api().viewer
key = user.generate_api_key("scenario")
worked = wandb.Api(api_key=key).viewer.username
print("OUT" + json.dumps({"worked": worked, "deleted": user.delete_api_key(key), "text": key in str(wandb.Api().viewer.api_keys)}))
`;
const signsInByName =
  'its generate_api_key() takes the name of the first key for the key itself, and Davit shows no key twice';

export const publicApiScenarios: readonly Scenario[] = [
  {
    name: 'api-runs-filters',
    promise: 'wandb.Api() finds runs by filters and orders, pages through them, and says what is wrong with a filter',
    async run({ python }) {
      await python(makeRuns);
      const result = await python(query);
      expect(result.complaints).toEqual([]);
      const out = outOf(result.output);
      expect(out, result.output).toMatchObject({
        state: ['r4'],
        config: ['r2', 'r3', 'r4'],
        value: ['r2'],
        nested: ['r3', 'r4', 'r5'],
        either: ['r1', 'r4'],
        summary: ['r2', 'r3', 'r4'],
        tags: ['r3'],
        not: ['r1', 'r5'],
        created: 6,
        exists: [],
        // NaN comes last.
        order: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
        config_order: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
        default_order: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
        pages: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
        len: 3,
        full: 0.2,
        projects: true,
        from_path: 'r1',
        reports: 0,
        viewer: 'ada',
        created_run: 'shell',
        left: ['r1', 'r2', 'r3', 'r4', 'r5', 'shell'],
      });
      expect(out['bad_key']).toContain('"colour"');
      expect(out['bad_operator']).toContain('"$near"');
      expect(out['bad_regex']).toContain('$regex of "name"');
    },
  },
  {
    name: 'api-people',
    promise: 'wandb.Api() makes teams and projects, and finds users',
    async run({ python }) {
      const result = await python(people);
      expect(outOf(result.output), result.output).toEqual({
        team: true,
        members: ['ada'],
        invited: false,
        made: true,
        users: ['ada'],
      });
    },
  },
  {
    name: 'api-keys',
    promise: 'A key that wandb.Api() makes works until it is deleted, and is never shown again',
    unavailable: { '0.19.11': signsInByName, '0.22.3': signsInByName, '0.25.1': signsInByName },
    async run({ python }) {
      const result = await python(keys);
      expect(outOf(result.output), result.output).toEqual({ worked: 'ada', deleted: true, text: false });
    },
  },
];
