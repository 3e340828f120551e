import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openHome } from '../../cli/stack/home.js';
import { Supervisor } from '../../cli/stack/supervise.js';
import { findTemporal } from '../../cli/stack/temporal-program.js';
import { temporalServer } from '../../cli/stack/temporal.js';
import { anyFreePort } from './ports.js';

export interface TestTemporal {
  address: string;
  uiUrl: string;
  /** Program of the CLI, for tests that type commands. */
  program: string;
  stop(): Promise<void>;
}

/** A Temporal server of this test file's own, as `davit up` starts it. */
export async function startTemporal(): Promise<TestTemporal> {
  const folder = mkdtempSync(join(tmpdir(), 'davit-test-temporal-'));
  const home = openHome(folder);
  const log = pino({ level: 'silent' });
  const quiet = (): void => undefined;
  const env = { ...process.env };
  delete env['TEMPORAL_ADDRESS'];
  const choice = await findTemporal({ env, temporalFolder: home.temporal, say: quiet, warn: quiet });
  if (choice.source === 'environment') throw new Error('a test needs a Temporal server of its own');
  const ports = { temporal: await anyFreePort(), temporalUi: await anyFreePort() };
  const supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log });
  await supervisor.start(
    temporalServer({ home, program: choice.program, port: ports.temporal, uiPort: ports.temporalUi, env }),
  );
  return {
    address: `127.0.0.1:${ports.temporal}`,
    uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    program: choice.program,
    async stop() {
      await supervisor.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
