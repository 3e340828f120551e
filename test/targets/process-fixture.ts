import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import type { PlanRequest } from '../../domain/job-plan.js';
import { createProcessTarget, type ProcessTargetOptions } from '../../targets/process/index.js';
import { endOf, outputOf, planRequest, prepareContext, submitContext } from './jobs.js';

/** A process target in a folder of its own, and the usual ways through it. */
export function processFixture(settings: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'davit-process-'));
  const workFolder = join(root, 'work');
  const open = (parts: Partial<ProcessTargetOptions> = {}) =>
    createProcessTarget({ workFolder, hostEnvironment: { ...process.env, ...settings }, ...parts });
  const target = open();

  /** An archive of a folder with these files; `then` may add what no honest tool would. */
  async function archiveOf(files: Record<string, string>, then?: (folder: string) => void): Promise<string> {
    const folder = mkdtempSync(join(root, 'code-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    then?.(folder);
    const file = `${folder}.tar.gz`;
    await create({ gzip: true, file, cwd: folder }, ['.']);
    return file;
  }

  async function prepare(parts: Partial<PlanRequest> & { command: string[] }, archive?: string, by = target) {
    const plan = by.plan(planRequest({ ...parts, ...(archive === undefined ? {} : { codeDigest: 'ab'.repeat(32) }) }));
    let log = '';
    const context = prepareContext({
      onLog: (text) => (log += text),
      fetchCode: async (to) => copyFileSync(archive ?? '', to),
    });
    await by.prepare(plan, context);
    return { plan, log };
  }

  const run = async (parts: Partial<PlanRequest> & { command: string[] }, archive?: string, by = target) => {
    const { plan, log } = await prepare(parts, archive, by);
    await by.submit(plan, submitContext());
    const status = await endOf(by, plan.name);
    return {
      plan,
      log,
      status,
      stdout: await outputOf(by, plan.name),
      stderr: await outputOf(by, plan.name, 'stderr'),
    };
  };

  const remove = (): void => rmSync(root, { recursive: true, force: true });
  return { root, workFolder, target, open, archiveOf, prepare, run, remove };
}
