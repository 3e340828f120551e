import { expect } from 'vitest';
import { facts } from './artifact-reading.js';
import type { Scenario } from './scenario.js';

const otherDigest = `
import json, os, wandb
from pathlib import Path
P = "ada/" + os.environ["WANDB_PROJECT"]
with wandb.init(id="maker") as run:
    made = wandb.Artifact("set", type="dataset", digest_algorithm="XXH128")
    with made.new_file("x.txt") as f: f.write("hashed")
    run.log_artifact(made).wait()
got = wandb.Api().artifact(P + "/set:v0")
root = got.download(root="got")
got.verify(root=root)
out = {"file": Path(root, "x.txt").read_text(), "md5": got.manifest.entries["x.txt"].digest, "algorithm": got.digest_algorithm.value}
print("FACTS" + json.dumps(out))
`;

const md5Only = 'has no other digest than MD5';

export const digestScenarios: Scenario[] = [
  {
    name: 'artifact-other-digest',
    promise: 'An artifact that asks for XXH128 digests is logged with MD5, which is what this server knows.',
    unavailable: { '0.19.11': md5Only, '0.22.3': md5Only, '0.25.1': md5Only, '0.28.2': md5Only },
    async run({ api, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(otherDigest);
      expect(api.refused.slice(refusedBefore)).toEqual([]);
      expect(facts(result)).toEqual({ file: 'hashed', md5: '3598gT/ccgKbQXWO+Nu1KA==', algorithm: 'MANIFEST_MD5' });
    },
  },
];
