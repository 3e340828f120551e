/** Images of jobs: who builds one at the moment, and what is known of those that were built. */
export const name = '0024-builds';

export const up = /* sql */ `
-- One build at a time of the same image, on whatever machine. A row is its holder's while it is renewed, and while its claim is the launch's.
create table build_lock (
  entity_id  int not null references entity on delete cascade,
  key        text not null,
  launch_id  text not null,
  claim      uuid not null,
  expires_at timestamptz not null,
  primary key (entity_id, key)
);

create table job_image (
  -- Version of the job.
  artifact_id int not null references artifact on delete cascade,
  -- Digest over all inputs of the build.
  inputs      text not null,
  image       text not null,
  name        text not null,
  facts       jsonb not null,
  built_at    timestamptz not null default now(),
  primary key (artifact_id, inputs)
);

-- What ran: by digest.
alter table launch add column image jsonb;
`;
