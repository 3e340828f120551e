import { z } from 'zod';

/** The closed lists of the project's vocabulary. Compared only through the predicates here. */

export const targetNames = ['process', 'docker', 'kubernetes', 'sagemaker', 'vertex'] as const;
export type TargetName = (typeof targetNames)[number];
export const targetNameSchema = z.enum(targetNames);

/** Smaller number = earlier in line. The numbers are those of the wandb client. */
export const priorities = ['critical', 'high', 'medium', 'low'] as const;
export type Priority = (typeof priorities)[number];
export const prioritySchema = z.enum(priorities);
export const defaultPriority: Priority = 'medium';
export const numberOfPriority: Record<Priority, number> = { critical: 0, high: 1, medium: 2, low: 3 };
export const priorityOfNumber = (n: number): Priority => priorities[n] ?? defaultPriority;

export const launchStates = [
  'queued',
  'claimed',
  'preparing',
  'submitting',
  'starting',
  'running',
  'stopping',
  'finished',
  'failed',
  'stopped',
] as const;
export type LaunchState = (typeof launchStates)[number];
export const launchStateSchema = z.enum(launchStates);

export type TerminalState = 'finished' | 'failed' | 'stopped';
export const isTerminal = (state: LaunchState): state is TerminalState =>
  state === 'finished' || state === 'failed' || state === 'stopped';
export const isWaiting = (state: LaunchState): boolean => state === 'queued';

/** In a state that holds a slot of an agent. */
export const holdsSlot = (state: LaunchState): boolean => !isTerminal(state) && !isWaiting(state);

/** How a queue chooses between projects: by acceptance alone, or the one with the fewest running launches (by weight) first. */
export const disciplines = ['fifo', 'fair'] as const;
export type Discipline = (typeof disciplines)[number];
export const disciplineSchema = z.enum(disciplines);

/** Why a waiting launch is passed over: somebody wants it, it waits for its next try, or it has cost too many agents. */
export const holdCauses = ['user', 'back-off', 'parked'] as const;
export type HoldCause = (typeof holdCauses)[number];

export const jobKinds = ['code', 'git', 'image'] as const;
export type JobKind = (typeof jobKinds)[number];

export const runStates = [
  'pending',
  'running',
  'finished',
  'failed',
  'crashed',
  'killed',
  'preempting',
  'preempted',
] as const;
export type RunState = (typeof runStates)[number];
export const isRunOpen = (state: RunState): boolean =>
  state === 'pending' || state === 'running' || state === 'preempting';

export const roles = ['viewer', 'member', 'admin'] as const;
export type Role = (typeof roles)[number];
const rankOfRole: Record<Role, number> = { viewer: 0, member: 1, admin: 2 };
export const roleIncludes = (have: Role, need: Role): boolean => rankOfRole[have] >= rankOfRole[need];

/** The three texts that a launch writes. Each has byte offsets of its own. */
export const logStreams = ['prepare', 'stdout', 'stderr'] as const;
export type LogStream = (typeof logStreams)[number];
