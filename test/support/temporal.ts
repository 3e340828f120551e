import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openHome } from '../../cli/stack/home.js';
import { Supervisor } from '../../cli/stack/supervise.js';
import { findTemporal } from '../../cli/stack/temporal-program.js';
import { temporalServer } from '../../cli/stack/temporal.js';
import { freePort } from './free-port.mjs';

export interface TestTemporal {
  address: string;
  uiUrl: string;
  /** Program of the CLI, for tests that type commands. */
  program: string;
  /** Ends the process; what it knows stays on disk. */
  goAway(): Promise<void>;
  /** Starts it again at the same address; `emptied`: with nothing of what it knew. */
  comeBack(options?: { emptied?: boolean }): Promise<void>;
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
  const ports = { temporal: await freePort(), temporalUi: await freePort() };
  let supervisor: Supervisor | undefined;
  const start = async (): Promise<void> => {
    supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log });
    await supervisor.start(
      temporalServer({ home, program: choice.program, port: ports.temporal, uiPort: ports.temporalUi, env }),
    );
  };
  const goAway = async (): Promise<void> => supervisor?.stop();
  await start();
  return {
    address: `127.0.0.1:${ports.temporal}`,
    uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    program: choice.program,
    goAway,
    async comeBack({ emptied = false } = {}) {
      if (emptied) {
        for (const name of readdirSync(home.temporal))
          if (name.startsWith('temporal.db')) rmSync(join(home.temporal, name));
      }
      await start();
    },
    async stop() {
      await goAway();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
