import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProcessTarget } from '../../targets/process/index.js';
import { availableTargets, openTarget } from '../../targets/register.js';
import { targetConformance } from './conformance.js';

targetConformance('process', async () => {
  const workFolder = mkdtempSync(join(tmpdir(), 'davit-process-'));
  return {
    open: () => createProcessTarget({ workFolder, hostEnvironment: process.env }),
    close: async () => rmSync(workFolder, { recursive: true, force: true }),
  };
});

describe('the register', () => {
  it('opens a target by its name, with settings of its own, and refuses what this version has not', () => {
    const setup = { workFolder: '/nonexistent', hostEnvironment: process.env, options: { keepMs: 1 } };
    expect(availableTargets()).toContain('process');
    expect(openTarget('process', setup).name).toBe('process');
    expect(() => openTarget('process', { ...setup, options: { keepMillis: 1 } })).toThrow(/keepMillis/);
    expect(() => openTarget('vertex', setup)).toThrow(/no target "vertex"/);
  });
});
