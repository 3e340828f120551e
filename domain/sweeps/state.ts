/** As the client spells them. */
export const sweepStates = ['PENDING', 'RUNNING', 'PAUSED', 'FINISHED', 'CANCELED'] as const;
export type SweepState = (typeof sweepStates)[number];

/** New sets may be given. */
export const isSweepOpen = (state: SweepState): boolean => state === 'PENDING' || state === 'RUNNING';
export const isSweepOver = (state: SweepState): boolean => state === 'FINISHED' || state === 'CANCELED';

/** Why a sweep may not go from one state to another; undefined = it may. The same again is always fine: a request may come twice. */
export function stateProblem(from: SweepState, to: SweepState): string | undefined {
  if (from === to || to === 'RUNNING') return undefined;
  if (to === 'PENDING') return 'A sweep that has begun cannot be made pending again.';
  if (to === 'PAUSED' && !isSweepOpen(from)) return `Cannot pause a ${from.toLowerCase()} sweep.`;
  if (isSweepOver(from) && !(from === 'FINISHED' && to === 'CANCELED'))
    return `The sweep is already ${from.toLowerCase()}.`;
  return undefined;
}
