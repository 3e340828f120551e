import {
  condition,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { profiles } from '../../workflows/profiles.js';
import { launchAttributes } from '../../workflows/search-attributes.js';

/** What the bare agent and the bare control worker do: as much as nothing. */
export interface BareActivities {
  supervise(ref: BareRef): Promise<BareEnd>;
  prepare(ref: BareRef): Promise<void>;
  submit(ref: BareRef): Promise<{ adopted: boolean }>;
}
export interface BareControl {
  recordEnd(input: { launchId: string; claim: string; end: BareEnd }): Promise<{ recorded: boolean; state: string }>;
}
/** As long as what the product's workflow sends. */
export interface BareRef {
  launchId: string;
  claim: string;
  epoch: number;
  attempt: number;
  target: string;
  name: string;
}
export interface BareEnd {
  kind: 'ended';
  status: { name: string; launchId: string; attempt: number; agentId: string; state: 'ended'; exitCode: number };
}
export interface BareNote {
  launchId: string;
  v: number;
  state: string;
  claim?: { id: string; agentName: string; privateQueue: string };
}

const tell = defineSignal<[BareNote]>('tell');
const control = proxyLocalActivities<BareControl>({ ...profiles.controlAtOnce, summary: 'record in the store' });

/**
 * The launch workflow without Davit: the same history, event by event, for a launch that meets no trouble, and nothing behind it: no API, no
 * store, no line, no target. What this does in a second is what Temporal gives on this machine.
 */
export async function bare(input: { launchId: string }): Promise<{ launchId: string; state: string }> {
  const { launchId } = input;
  let note: BareNote | undefined;
  setHandler(tell, (told) => {
    if (!note || told.v > note.v) note = told;
  });
  await condition(() => note?.claim !== undefined);
  const claim = note?.claim;
  if (!claim) throw new Error('told without a claim');

  upsertSearchAttributes([
    { key: launchAttributes.status, value: 'running' },
    { key: launchAttributes.agent, value: claim.agentName },
  ]);
  setCurrentDetails(`Taken by agent ${claim.agentName}, attempt 1`);
  const agent = (profile: 'supervise' | 'prepare' | 'submit', summary: string): BareActivities =>
    proxyActivities<BareActivities>({
      ...profiles[profile],
      taskQueue: claim.privateQueue,
      summary: `${summary} ${claim.agentName}`,
    });
  const ref = { launchId, claim: claim.id, epoch: 1, attempt: 1, target: 'process', name: `davit-${launchId}-1` };
  const supervised = agent('supervise', 'hold the slot and follow the job on').supervise(ref);
  await agent('prepare', 'fetch and install on').prepare(ref);
  await agent('submit', 'start the job on').submit(ref);
  const end = await supervised;
  const recorded = await control.recordEnd({ launchId, claim: claim.id, end });
  upsertSearchAttributes([{ key: launchAttributes.status, value: recorded.state }]);
  setCurrentDetails(`Ended: ${recorded.state}`);
  return { launchId, state: recorded.state };
}
