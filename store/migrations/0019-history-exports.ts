/**
 * Files of history that clients may read instead of pages. A row is there before its bytes and goes after them, so that no bytes are forgotten;
 * docs/decisions/0014-history-exports.md has the why.
 */
export const name = '0019-history-exports';

export const up = /* sql */ `
create table history_export (
  id         int generated always as identity primary key,
  -- Null: the run was deleted.
  run_id     int references run on delete set null,
  -- What clients keep their copy under, beside the entity's name.
  project_id int references project on delete set null,
  run_name   text not null,
  -- Lines of history.
  first      int not null,
  until      int not null,
  -- Null: the bytes are removed; clients may still have theirs.
  blob_key   text,
  begun_at   timestamptz not null default now(),
  -- Null: it is being written, or whoever wrote it died.
  made_at    timestamptz,
  -- Lines of it were changed or cut since, or it was given up.
  spoiled    boolean not null default false
);
create index history_export_run on history_export (run_id);
create index history_export_name on history_export (project_id, run_name);
-- Clients know a file by its place in the list.
create unique index history_export_once on history_export (run_id, first) where made_at is not null and not spoiled;
`;
