/** Who drains a queue, since when and why: like a pause, it is seen by people who did not do it. */
export const name = '0015-drains';

export const up = /* sql */ `
alter table queue
  add column drained_by text,
  add column drained_at timestamptz,
  add column drain_reason text;
`;
