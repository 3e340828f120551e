import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import type { JobPlan } from '../../domain/job-plan.js';
import type { Target } from '../../targets/target.js';
import type { LoneEngine } from '../support/lone-engine.js';
import { planRequest, prepareContext, shell } from '../targets/jobs.js';

/**
 * A base image whose Python makes environments and installs into them without a network: one file per requirement. `hang-once` waits for ever the
 * first time that it is installed into a volume.
 */
const python = `#!/bin/sh
folder=/davit/environment
case "$2" in
venv) rm -f $folder/installed ;;
pip)
  for list; do :; done
  if [ "$(head -n 1 "$list")" = hang-once ] && [ ! -e $folder/tried ]; then
    touch $folder/tried; echo hanging; sleep 600
  fi
  cat "$list" > $folder/installed ;;
esac
`;

export const fakeInstaller = (engine: LoneEngine): Promise<string> =>
  engine.imageWith('davit-test/python:1', { 'bin/python3': python, 'davit/environment/bin/python': python });

/** A job with code on that image. What it prints is what was installed. */
export function fakePlan(target: Target, requirements: string): JobPlan {
  const { plan } = Object.getPrototypeOf(target) as Target;
  const request = planRequest({ command: shell('cat /davit/environment/installed'), codeDigest: 'ab'.repeat(32) });
  return plan.call(
    target,
    Object.assign(request, {
      requirements,
      build: { baseImage: 'davit-test/python:1' },
      resourceConfig: { pull: 'missing' },
    }),
  );
}

/** Some code. */
export const fakeContext = (parts: { onLog?: (text: string) => void } = {}) =>
  prepareContext({
    fetchCode: async (toFile) => {
      const folder = mkdtempSync(join(tmpdir(), 'davit-code-'));
      writeFileSync(join(folder, 'a.txt'), 'code');
      await create({ gzip: true, file: toFile, cwd: folder }, ['.']);
    },
    ...parts,
  });
