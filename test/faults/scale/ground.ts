import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from '../../../client/index.js';
import { LoneEngine } from '../../support/lone-engine.js';
import type { Stack } from '../../support/stack.js';
import { untilJobFile } from '../support/job-files.js';

/** What the jobs of a run are: processes of this machine, or containers of an Engine that is killed, too. */
export interface Ground {
  queue: Partial<Api<'NewQueue'>>;
  /** What code runs on. */
  baseImage?: string;
  agentEnvironment: NodeJS.ProcessEnv;
  /** Waits for the moment in the life of a job of the launch. False: it did not come in time. */
  untilJob(launchId: string, kind: 'claim' | 'started' | 'exit', ms: number): Promise<boolean>;
  /** Undefined: there is none that could be killed apart. False: it is down already. */
  killEngine?(awayMs: number): boolean;
  /** What is left of jobs when all have ended. */
  left(): Promise<string[]>;
  stop(): Promise<void>;
}

export type GroundName = 'process' | 'docker';

export const openGround = (name: GroundName, stack: Stack): Promise<Ground> =>
  name === 'docker' ? containers(stack) : Promise.resolve(processes(stack));

const processes = (stack: Stack): Ground => ({
  queue: {},
  agentEnvironment: {},
  untilJob: (launchId, kind, ms) => untilJobFile(stack.workFolder, launchId, kind, ms),
  left: () => Promise.resolve([]),
  stop: () => Promise.resolve(),
});

async function containers(stack: Stack): Promise<Ground> {
  const engine = await LoneEngine.start();
  let restart: Promise<void> | undefined;
  const jobs = (all: boolean) =>
    engine.docker.listContainers({ all, filters: { label: ['davit.launch'] } as never }).catch(() => []);

  async function isAt(launchId: string, kind: 'claim' | 'started' | 'exit'): Promise<boolean> {
    const filters = { label: [`davit.launch=${launchId}`] };
    const found = await engine.docker.listContainers({ all: true, filters: filters as never }).catch(() => []);
    return found.some(({ State }) => kind === 'claim' || (kind === 'exit' ? State === 'exited' : State !== 'created'));
  }

  return {
    queue: { target: 'docker', resourceConfig: { pull: 'missing' } },
    baseImage: engine.image,
    agentEnvironment: {
      // The Engine has no network to build in: the code is brought to the image.
      DAVIT_BUILDER: 'none',
      DAVIT_DOCKER_ENGINE: engine.address,
      DAVIT_DOCKER_NETWORK: 'none',
      // Where jobs note their turns.
      DAVIT_DOCKER_VOLUMES: `${stack.folder}:${stack.folder}`,
    },
    async untilJob(launchId, kind, ms) {
      const deadlineMs = Date.now() + ms;
      while (Date.now() < deadlineMs) {
        if (await isAt(launchId, kind)) return true;
        await wait(5);
      }
      return false;
    },
    killEngine(awayMs) {
      if (restart !== undefined) return false;
      restart = (async () => {
        await engine.kill9();
        await wait(awayMs);
        await engine.up();
        restart = undefined;
      })();
      return true;
    },
    async left() {
      await restart;
      return (await jobs(false)).map(({ Names }) => `container ${Names.join(', ')} runs`);
    },
    async stop() {
      await restart?.catch(() => undefined);
      await engine.stop();
    },
  };
}
