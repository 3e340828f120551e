import { ApplicationFailure, Context } from '@temporalio/activity';
import { failure, isErrorCode, LaunchError, type Failure } from '../../domain/errors.js';
import type { JobPlan, PlanRequest } from '../../domain/job-plan.js';
import type { Masks } from '../../domain/masking.js';
import { applyMacros } from '../../domain/resource-config.js';
import { within } from '../../domain/within.js';
import type { AgentActivities, AttemptRef } from '../contract.js';
import { AgentApiRefusal } from './agent-api.js';
import type { AgentDeps } from './deps.js';
import { fetchSource } from './fetch-source.js';
import { imageOfJob } from './build-image.js';
import { withHeartbeats } from './heartbeats.js';
import type { Lease } from './lease.js';
import { Reporter } from './reporter.js';
import { untilAnswered } from './retry.js';
import { LogWriter } from './ship-log.js';

const leaseWaitMs = 5_000;

/** Prepare and submit: both act only while this process holds the claim, and tell supervise how it went. */
export function startActivities(deps: AgentDeps): Pick<AgentActivities, 'prepare' | 'submit'> {
  const { api, pool, tmpFolder } = deps;

  /** Runs a step under the lease; whatever it throws becomes the attempt's failure, said to supervise first. */
  async function step<T>(
    ref: AttemptRef,
    stage: 'prepare' | 'submit',
    act: (lease: Lease, plan: JobPlan, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const context = Context.current();
    const lease = await within(context.cancellationSignal, leaseWaitMs, (soon) => pool.waitFor(ref.claim, soon));
    // A cancel ends the waiting too: the workflow waits until this has ended, and its supervise may never have reached this process.
    const work = await Promise.race([lease?.work, endOf(context.cancellationSignal)]);
    if (!lease || !work) throw ApplicationFailure.nonRetryable('this process does not hold the launch', 'claim-lost');
    const signal = AbortSignal.any([context.cancellationSignal, lease.abort.signal]);
    return lease.run(async () => {
      try {
        const plan = deps.target(ref.target).plan(withOwnMacros(work.request, deps.macros));
        return await act(lease, plan, signal);
      } catch (error) {
        // Why we are to stop (a cancel, the end of this process, a time-out that Temporal saw) is for supervise to find out; it hears of it too.
        const isFenced =
          (error instanceof AgentApiRefusal && error.code === 'claim-lost') ||
          // Under an earlier claim of this attempt somebody let go of its name and closed it. Nothing runs under it, so this is no failure of the
          // launch: its workflow finds nothing there and goes on with the next name. If a cancel closed it, the launch is stopped either way.
          (error instanceof LaunchError && error.code === 'submit-after-kill');
        if (isFenced) lease.settleStart({ kind: 'stopped' });
        if (isFenced || signal.aborted) throw ApplicationFailure.nonRetryable('stopped', 'cancelled');
        // It may quote what an installer or a target printed, and goes to Temporal too.
        const told = maskedFailure(failureOf(error, stage), lease.masks);
        lease.settleStart({ kind: 'failed', failure: told });
        throw ApplicationFailure.nonRetryable(told.message, told.code);
      }
    });
  }

  async function prepare(ref: AttemptRef): Promise<void> {
    await step(ref, 'prepare', async (lease, plan, signal) => {
      const { launchId, claim, attempt } = ref;
      await new Reporter(api, launchId, claim).send({ state: 'preparing', plan }, signal);
      const { masks } = lease;
      const output = new LogWriter({ api, launchId, claim, attempt, stream: 'prepare', masks }, signal);
      const secret = async (name: string): Promise<string> => {
        const values = await untilAnswered(signal, () => api.namedSecrets(launchId, claim, [name]));
        masks.add(Object.values(values));
        return values[name] ?? '';
      };
      const onLog = (text: string): void => output.write(text);
      const fetchCode = (toFile: string): Promise<void> =>
        fetchOnce(plan, toFile, signal, (file) =>
          fetchSource(deps, ref, plan, { toFile: file, signal, secret, onLog }),
        );
      const { builders } = deps;
      try {
        await deps.target(ref.target).prepare(plan, {
          signal,
          onLog,
          secret,
          fetchCode,
          onImage: (image) => untilAnswered(signal, () => api.reportImage(launchId, claim, image)),
          ...(builders && {
            registryLogin: (host) => builders.logins.login(host, { signal, secret }),
            buildImage: (makeRoom) =>
              imageOfJob({ api, builders, claim, tmpFolder, signal, onLog, fetchCode, secret, makeRoom }, plan),
          }),
        });
      } finally {
        await output.end();
      }
    });
  }

  /** What was fetched for an earlier launch is not fetched again. */
  const fetchOnce = (
    plan: JobPlan,
    toFile: string,
    signal: AbortSignal,
    fetch: (toFile: string) => Promise<void>,
  ): Promise<void> =>
    deps.codeCache && plan.codeDigest !== undefined
      ? deps.codeCache.take(plan.codeDigest, toFile, fetch, signal)
      : fetch(toFile);

  async function submit(ref: AttemptRef): Promise<{ adopted: boolean }> {
    return step(ref, 'submit', async (lease, plan, signal) => {
      const { launchId, claim } = ref;
      // The last fence before something exists: refused when the claim was lost or the launch is being stopped.
      const allowed = await new Reporter(api, launchId, claim).send({ state: 'submitting' }, signal);
      if (!allowed) throw new AgentApiRefusal('claim-lost', 'the claim was lost before submit');
      const secrets = await untilAnswered(signal, () => api.secrets(launchId, claim));
      // Before the job exists: it may print them with its first breath.
      lease.masks.add(Object.values(secrets));
      lease.asked = true;
      const answer = await deps.target(ref.target).submit(plan, { signal, secrets, agentId: deps.agentId });
      lease.settleStart({ kind: 'submitted' });
      return answer;
    });
  }

  return {
    prepare: (ref) => withHeartbeats(() => prepare(ref)),
    submit: (ref) => withHeartbeats(() => submit(ref)),
  };
}

/** Last of all, and only what the agent's own configuration declares: nobody sees the rest of its environment. */
const withOwnMacros = (request: PlanRequest, macros: AgentDeps['macros'] = {}): PlanRequest => ({
  ...request,
  resourceConfig: applyMacros(request.resourceConfig, macros),
});

const endOf = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

function failureOf(error: unknown, stage: 'prepare' | 'submit'): Failure {
  if (error instanceof LaunchError) return error.toFailure();
  if (error instanceof AgentApiRefusal && isErrorCode(error.code)) return failure(error.code, stage, error.message);
  return failure(`${stage}-failed`, stage, error instanceof Error ? error.message : String(error));
}

const maskedFailure = (told: Failure, masks: Masks): Failure => ({ ...told, message: masks.text(told.message) });
