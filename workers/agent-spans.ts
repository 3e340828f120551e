import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { AttemptRef } from '../activities/contract.js';
import { parseTraceparent, spanIdOf, type LaunchPart } from '../telemetry/trace-context.js';
import type { Tracing } from '../telemetry/tracing.js';

export interface AgentSpansOptions {
  tracing: Tracing;
  agentId: string;
  name: string;
  /** Where this launch stands in its trace; undefined: not known (the claim was lost, the API is away). */
  traceparent(launchId: string, claim: string): Promise<string | undefined>;
}

/** The part of the launch's story that a step of the agent belongs to. That part is told at the end, whatever happens to this process. */
const parentPart: Readonly<Record<string, 'prepare' | 'submit' | 'attempt'>> = {
  prepare: 'prepare',
  submit: 'submit',
  supervise: 'attempt',
  watch: 'attempt',
};

/** A span for each step that this process takes for a launch, told when the step is over. */
export function agentSpans(options: AgentSpansOptions): (context: {
  info: { activityType: string; attempt: number };
}) => {
  inbound: ActivityInboundCallsInterceptor;
} {
  const { tracing, agentId, name, traceparent } = options;
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const part = parentPart[info.activityType];
        const ref = input.args[0] as AttemptRef | undefined;
        if (!part || !ref) return next(input);
        const startMs = Date.now();
        // Asked at the beginning, while the claim is certainly ours; not waited for.
        const context = traceparent(ref.launchId, ref.claim).catch(() => undefined);
        const tell = (error: string | undefined): void => {
          const endMs = Date.now();
          void context.then((known) => {
            const of = parseTraceparent(known);
            if (!of) return;
            const parent: LaunchPart = `${part}/${ref.epoch}`;
            tracing.record({
              name: `agent ${info.activityType}`,
              traceId: of.traceId,
              parent: { ...of, spanId: spanIdOf(ref.launchId, parent) },
              startMs,
              endMs,
              attributes: {
                'davit.launch.id': ref.launchId,
                'davit.agent.id': agentId,
                'davit.agent.name': name,
                'davit.attempt': ref.attempt,
                'davit.epoch': ref.epoch,
                'davit.target': ref.target,
                'davit.activity.attempt': info.attempt,
              },
              error,
            });
          });
        };
        try {
          const result = await next(input);
          tell(undefined);
          return result;
        } catch (error) {
          // A type (prepare-failed, cancelled), never the message: it may quote what a job printed.
          tell((error as { type?: string | null }).type ?? (error instanceof Error ? error.name : 'error'));
          throw error;
        }
      },
    },
  });
}
