/** Versions of artifacts outlive the run that logged them, and its name with them. */
export const name = '0018-deleted-runs';

export const up = /* sql */ `
alter table artifact add column deleted_run text;
`;
