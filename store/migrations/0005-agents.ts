/** What an agent is bound to, and how its quarantine goes on. */
export const name = '0005-agents';

export const up = /* sql */ `
alter table agent
  -- Different launches that must fail on it in a row, for reasons that are not their own, until it takes nothing more. 0: never.
  add column quarantine_after int not null default 3 check (quarantine_after >= 0),
  -- How long it waited for its latest probe; each probe that fails doubles it.
  add column probe_ms bigint,
  -- The key that its process said hello with: what that is bound to is shown with the agent.
  add column key_id uuid references api_key on delete set null;
`;
