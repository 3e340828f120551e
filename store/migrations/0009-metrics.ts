/**
 * Metrics as curves. The lines of a run (run_line) are the truth and are written first; what stands here is folded from them: a segment is a
 * stretch of at most 1,024 lines, a chunk is one key in one segment, run_metric is one key in all folded lines. Folding the same lines again
 * gives the same rows, so it may be interrupted anywhere. docs/decisions/0008-metrics-store.md has the why.
 */
export const name = '0009-metrics';

export const up = /* sql */ `
create table metric_fold (
  run_id  int not null references run on delete cascade,
  file    text not null check (file in ('history', 'events')),
  -- Lines below are in segments; lines from here on are read as they are.
  folded  int not null default 0,
  -- Blocks of 1,024 lines below it that were written again since.
  dirty   int[] not null default '{}',
  -- Some key is in no chunk: too many keys, or too long a name.
  partial boolean not null default false,
  primary key (run_id, file)
);

create table metric_segment (
  run_id  int not null references run on delete cascade,
  file    text not null,
  first   int not null,
  until   int not null,
  -- Lines that hold an object; which ones, a bit a line, null = all.
  lines   int not null,
  present bytea,
  primary key (run_id, file, first)
);

create table metric_chunk (
  run_id  int not null references run on delete cascade,
  file    text not null,
  key     text not null,
  first   int not null,
  until   int not null,
  -- Lines that have the key; which ones, a bit a line from the first, null = all.
  lines   int not null,
  present bytea,
  -- Eight bytes a line that has the key, little-endian; null when one of the values is no number.
  numbers bytea,
  stats   jsonb not null,
  low     double precision,
  high    double precision,
  primary key (run_id, file, key, first)
);
-- Not compressed, so that one number can be cut out without reading its neighbours.
alter table metric_chunk alter column numbers set storage external;

create table run_metric (
  run_id int not null references run on delete cascade,
  file   text not null,
  key    text not null,
  stats  jsonb not null,
  primary key (run_id, file, key)
);
`;
