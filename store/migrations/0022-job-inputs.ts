/** What a queue lets launches choose, and what it does with inputs that do not fit what a job takes. */
export const name = '0022-job-inputs';

export const up = /* sql */ `
alter table queue
  add column template_variables jsonb not null default '{}',
  add column inputs text not null default 'enforce' check (inputs in ('enforce', 'warn'));
`;
