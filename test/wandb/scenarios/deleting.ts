import { expect } from 'vitest';
import { look } from './look.js';
import type { Scenario } from './scenario.js';

const program = `
import os, wandb
project = "ada/" + os.environ["WANDB_PROJECT"]

def log(run_id, text):
    with wandb.init(id=run_id) as run:
        with open("data.txt", "w") as file:
            file.write(text)
        made = wandb.Artifact("data", type="dataset")
        made.add_file("data.txt")
        run.log_artifact(made).wait()

def versions():
    return [one.version for one in wandb.Api().artifacts("dataset", project + "/data")]

log("keeps", "first")
log("goes", "second")
log("goes", "third")
log("stays", "fourth")
with wandb.init(id="user") as run:
    run.use_artifact("data:v2")
wandb.Api().run(project + "/goes").delete(delete_artifacts=True)
assert sorted(versions()) == ["v0", "v3"], versions()
assert wandb.Api().artifact(project + "/data:latest").version == "v3"
for gone in ("v1", "v2"):
    try:
        wandb.Api().artifact(project + "/data:" + gone)
    except Exception as error:
        print("REFUSED", type(error).__name__)
    else:
        raise AssertionError(gone + " is still there")
# Who used it is still there, and so is what another run logged.
assert wandb.Api().run(project + "/user").id == "user"
wandb.Api().run(project + "/keeps").delete()
assert sorted(versions()) == ["v0", "v3"], versions()
left = wandb.Api().artifact(project + "/data:v0")
with open(os.path.join(left.download("got"), "data.txt")) as file:
    assert file.read() == "first"
try:
    left.logged_by()
except ValueError as error:
    assert "Could not find run" in str(error) and "keeps" in str(error), error
else:
    raise AssertionError("a deleted run was found")
# The number of a version that is gone is not given again.
log("next", "fifth")
assert sorted(versions()) == ["v0", "v3", "v4"], versions()
`;

export const deletingScenarios: Scenario[] = [
  {
    name: 'run-deleted-with-artifacts',
    promise:
      'Deleting a run with its artifacts takes the versions that it logged and no others; without, they stay, can be read, and say that their run cannot be found.',
    async run(ctx) {
      const result = await ctx.python(program);
      expect(result.output.match(/^REFUSED/gm)).toHaveLength(2);
      expect(await look(ctx, 'goes')).toBeUndefined();
      expect(await look(ctx, 'keeps')).toBeUndefined();
      expect(await look(ctx, 'user')).toBeDefined();
    },
  },
];
