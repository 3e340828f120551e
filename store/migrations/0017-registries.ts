/**
 * Registries: projects whose names begin with `wandb-registry-`. Which types of artifacts one takes: any, or those that are named and those that
 * it has already.
 */
export const name = '0017-registries';

export const up = /* sql */ `
alter table project
  add column any_artifact_type boolean not null default true,
  add column updated_at        timestamptz not null default now();
update project set updated_at = created_at;

create table registry_artifact_type (
  project_id int not null references project on delete cascade,
  name       text not null,
  created_at timestamptz not null default now(),
  primary key (project_id, name)
);
`;
