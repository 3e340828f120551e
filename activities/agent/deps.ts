import type { Logger } from 'pino';
import type { AllowedRemotes } from '../../domain/git-remote.js';
import type { CodeCache } from '../../builders/code/cache.js';
import type { Builders } from '../../builders/register.js';
import type { TargetName } from '../../domain/words.js';
import type { Target } from '../../targets/target.js';
import type { AgentApi } from './agent-api.js';
import type { SlotPool } from './slot-pool.js';

export interface AgentDeps {
  api: AgentApi;
  pool: SlotPool;
  agentId: string;
  /** The target of this name; throws when this agent has none. */
  target(name: TargetName): Target;
  /** Asks the targets anew which jobs are charged to this agent. */
  recountJobs(): Promise<void>;
  /** Is this workflow asked to cancel, or does it run on without us (terminated, reset, its data lost)? */
  isWorkflowOpen(workflowId: string, runId: string): Promise<boolean>;
  /** Repositories that this agent fetches, beyond https and ssh. */
  git?: { allowed?: AllowedRemotes | undefined } | undefined;
  /** What the agent's own configuration declares for `${name}` in resource configs. */
  macros?: Readonly<Record<string, string>> | undefined;
  /** What makes images of code, and opens registries; undefined: neither. */
  builders?: Builders;
  /** For what is needed only for a while. Emptied when the agent starts. */
  tmpFolder: string;
  /** Archives of code that were fetched before. */
  codeCache?: CodeCache;
  log: Logger;
}
