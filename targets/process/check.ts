import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TargetCheck } from '../target.js';
import type { ProcessTargetConfig } from './config.js';
import { findProgram, toolPath } from './keeper.js';
import { createOnce, type Layout, makeFolder, randomName } from './layout.js';
import type { Pythons } from './python.js';

export async function checkProcessTarget(
  config: ProcessTargetConfig,
  layout: Layout,
  pythons: Pythons,
): Promise<TargetCheck> {
  const details: string[] = [];
  let ok = true;
  const fail = (sentence: string): void => {
    ok = false;
    details.push(sentence);
  };

  for (const folder of [layout.workFolder, config.environmentCacheFolder]) {
    const problem = await writeProblem(folder);
    if (problem === undefined) details.push(`${folder} can be written.`);
    else fail(`${folder} cannot be used (${problem}); give the agent a folder of its own on a local disk.`);
  }

  const path = config.hostEnvironment['PATH'] ?? '';
  const setsid = (await findProgram('setsid', toolPath(path))) ?? (await findProgram('perl', toolPath(path)));
  if (setsid) details.push(`Jobs get sessions of their own by ${setsid}.`);
  else fail('Neither setsid nor perl was found; install util-linux (setsid).');

  const python = await pythons.find(undefined);
  const uv = await findProgram('uv', path);
  // Jobs in other languages run without it, so this alone does not make the target unfit.
  if (!python)
    details.push(
      `No Python 3 was found (looked for ${pythons.tried(undefined)}); Python jobs will fail. Install Python 3 with venv.`,
    );
  else details.push(`Python ${python.version}: ${python.executable}.`);
  if (uv) details.push(`Requirements are installed with uv: ${uv}.`);
  else if (python?.canMakeVenv) details.push('Requirements are installed with venv and pip (uv would be faster).');
  else if (python)
    details.push(
      `${python.executable} lacks venv or ensurepip; jobs with requirements will fail. Install python3-venv or uv.`,
    );
  return { ok, details };
}

/** Files appear by hard links, so these must work, too. */
async function writeProblem(folder: string): Promise<string | undefined> {
  const probe = join(folder, `check.${randomName()}`);
  try {
    await makeFolder(folder);
    await createOnce(probe, '');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
