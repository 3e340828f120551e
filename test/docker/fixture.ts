import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanRequest } from '../../domain/job-plan.js';
import { createDockerTarget, type DockerTargetOptions } from '../../targets/docker/index.js';
import type { Target } from '../../targets/target.js';

/** Docker targets whose jobs run in this image unless they bring code. */
export function dockerFixture(image: string, over: Partial<DockerTargetOptions> = {}) {
  const workFolder = mkdtempSync(join(tmpdir(), 'davit-docker-'));
  const open = (parts: Partial<DockerTargetOptions> = {}): Target =>
    inImage(createDockerTarget({ workFolder, hostEnvironment: { ...process.env }, ...over, ...parts }), image);
  return { workFolder, open, remove: () => rmSync(workFolder, { recursive: true, force: true }) };
}

export const imageRequest = (image: string, request: PlanRequest): PlanRequest =>
  Object.assign({ ...request }, { source: { kind: 'image' as const, image } });

function inImage(target: Target, image: string): Target {
  const plan = (request: PlanRequest) =>
    target.plan(
      request.codeDigest === undefined
        ? imageRequest(image, { ...request, resourceConfig: { pull: 'missing', ...request.resourceConfig } })
        : request,
    );
  return Object.assign(Object.create(target) as Target, { plan });
}
