import type { JobStatus } from '../../domain/job-plan.js';
import { parseRemoteName } from '../../domain/ids.js';

/** Names and labels by which an Engine's things are known to be jobs of ours. */

export const label = {
  job: 'davit.job',
  launch: 'davit.launch',
  attempt: 'davit.attempt',
  agent: 'davit.agent',
  /** Seconds between the request to end and the end, when the job names its own. */
  grace: 'davit.grace',
  /** Which process creates it. */
  submitter: 'davit.submitter',
  /** The image as it was asked for. */
  image: 'davit.image',
  /** On volumes: what they stand for. */
  mark: 'davit.mark',
  status: 'davit.status',
  /** The volume of packages that a volume or a container is about. */
  environment: 'davit.environment',
  /** Tells a volume from another of its name. */
  word: 'davit.word',
  /** On containers that are no jobs. */
  purpose: 'davit.purpose',
  /** On images: the digest of all that they were made of. */
  inputs: 'davit.inputs',
} as const;

export type Owner = Pick<JobStatus, 'name' | 'launchId' | 'attempt' | 'agentId'>;

export const labels = {
  ofPlan: ({ name, launchId, attempt }: Omit<Owner, 'agentId'>): Record<string, string> => ({
    [label.job]: name,
    [label.launch]: launchId,
    [label.attempt]: String(attempt),
  }),
};

/** Undefined: not a job of ours, whatever else it is. */
export function ownerOf(labels: Readonly<Record<string, string>> | null | undefined): Owner | undefined {
  const name = labels?.[label.job];
  const parsed = name === undefined ? undefined : parseRemoteName(name);
  if (name === undefined || !parsed) return undefined;
  return { name, ...parsed, agentId: labels?.[label.agent] ?? '' };
}
