/**
 * Artifacts as wandb clients write and read them. A version (`artifact`) lies in the sequence that it was logged to (`collection_id`) and has a
 * place (`artifact_membership`) there and in every portfolio that it is linked into; aliases belong to places.
 *
 * Bytes: `artifact_blob` has one row per upload, under a key that is never used again. So a sweep that removes bytes can never meet an upload
 * of the same content. A blob is kept while an upload (`artifact_upload`, versions that are not committed yet) or a file refers to it.
 */
export const name = '0011-artifacts';

export const up = /* sql */ `
alter table artifact_collection
  add column kind       text not null default 'SEQUENCE' check (kind in ('SEQUENCE', 'PORTFOLIO')),
  add column state      text not null default 'READY' check (state in ('READY', 'DELETED')),
  add column updated_at timestamptz not null default now();
-- A deleted collection keeps its row (launches name their job by it) and gives its name away.
alter table artifact_collection drop constraint artifact_collection_project_id_name_key;
create unique index artifact_collection_name on artifact_collection (project_id, name) where state = 'READY';

alter table artifact drop column client_id;
alter table artifact alter column metadata drop default;
-- JSON text as the client sent it: may hold NaN and Infinity, so not jsonb.
alter table artifact alter column metadata type text using metadata::text;
alter table artifact alter column metadata set default '{}';
alter table artifact
  add column digest_algorithm text not null default 'MANIFEST_MD5' check (digest_algorithm in ('MANIFEST_MD5', 'MANIFEST_XXH128')),
  -- What the client said it would be; differs from digest when the server merged manifests.
  add column client_digest    text not null default '',
  add column distributed_id   text,
  add column history_step     bigint,
  -- Seconds after created_at; null: inherited (nothing expires by itself); -2: never.
  add column ttl_seconds      bigint,
  add column expires_at       timestamptz,
  add column storage_layout   text not null default 'V2' check (storage_layout in ('V1', 'V2')),
  add column storage_region   text,
  -- Of the manifest that it was committed by.
  add column manifest_type    text not null default 'FULL' check (manifest_type in ('FULL', 'INCREMENTAL', 'PATCH')),
  add column user_id          int references user_account,
  -- Asked for while PENDING, given at the commit.
  add column wanted_aliases   text[] not null default '{}',
  add column updated_at       timestamptz not null default now(),
  add column deleted_at       timestamptz;
update artifact set client_digest = digest;
alter table artifact add foreign key (run_id) references run on delete set null;
create index artifact_run on artifact (run_id) where run_id is not null;
create index artifact_expires on artifact (expires_at) where expires_at is not null and state <> 'DELETED';
-- What a sweep looks through: versions that nobody went on with, and what deleted ones left.
create index artifact_pending on artifact (updated_at) where state = 'PENDING';
create unique index artifact_distributed on artifact (collection_id, distributed_id) where state = 'PENDING' and distributed_id is not null;

-- Random ids that clients use before they know ours; history and summaries name versions by them for ever. One client may write the same
-- run to two projects.
create table artifact_client_id (
  project_id  int not null references project,
  client_id   text not null,
  artifact_id int not null references artifact,
  primary key (client_id, project_id)
);
create table artifact_sequence_client_id (
  project_id    int not null references project,
  client_id     text not null,
  collection_id int not null references artifact_collection,
  primary key (client_id, project_id)
);

-- A version's place in a collection. version_index counts per collection; in the version's own sequence it is artifact.version_index.
create table artifact_membership (
  id            int generated always as identity primary key,
  collection_id int not null references artifact_collection,
  artifact_id   int not null references artifact,
  version_index int not null,
  created_at    timestamptz not null default now(),
  unique (collection_id, artifact_id),
  unique (collection_id, version_index)
);
create index artifact_membership_artifact on artifact_membership (artifact_id);
insert into artifact_membership (collection_id, artifact_id, version_index, created_at)
  select collection_id, id, version_index, committed_at from artifact where state = 'COMMITTED' order by id;

alter table artifact_alias add column created_at timestamptz not null default now();
alter table artifact_alias add foreign key (collection_id, artifact_id) references artifact_membership (collection_id, artifact_id);

create table artifact_tag (
  artifact_id int not null references artifact,
  tag         text not null,
  created_at  timestamptz not null default now(),
  primary key (artifact_id, tag)
);
create table artifact_collection_tag (
  collection_id int not null references artifact_collection,
  tag           text not null,
  created_at    timestamptz not null default now(),
  primary key (collection_id, tag)
);

-- A run used a version.
create table artifact_usage (
  run_id      int not null references run on delete cascade,
  artifact_id int not null references artifact,
  used_as     text,
  created_at  timestamptz not null default now(),
  primary key (run_id, artifact_id)
);
create index artifact_usage_artifact on artifact_usage (artifact_id);

-- As uploaded, and (FULL, made by the server) as merged. current: the one that readers get.
create table artifact_manifest (
  id               int generated always as identity primary key,
  artifact_id      int not null references artifact,
  run_id           int,
  name             text not null,
  type             text not null check (type in ('FULL', 'INCREMENTAL', 'PATCH')),
  base_artifact_id int references artifact,
  -- Base64 MD5 of its bytes; '' while the client does not know it.
  digest           text not null default '',
  blob_key         text not null unique,
  size             bigint,
  current          boolean not null default false,
  created_at       timestamptz not null default now()
);
create index artifact_manifest_artifact on artifact_manifest (artifact_id);

create table artifact_blob (
  key         text primary key,
  -- Whoever may write to this project may name its content by the digest alone; nobody else may.
  project_id  int not null references project,
  -- Base64, as in manifests.
  md5         text not null,
  -- Null until all of its bytes are stored.
  size        bigint,
  -- Of a multipart upload that is under way.
  upload_id   text,
  -- A sweep is about to remove the bytes: nobody may refer to it any more.
  removing    boolean not null default false,
  -- Something that referred to it is gone: the sweep looks whether that was the last.
  suspect     boolean not null default false,
  created_at  timestamptz not null default now()
);
create index artifact_blob_content on artifact_blob (project_id, md5) where size is not null and not removing;

create index artifact_blob_suspect on artifact_blob (key) where suspect or removing;

create table artifact_upload (
  artifact_id int not null references artifact,
  md5         text not null,
  blob_key    text not null references artifact_blob,
  primary key (artifact_id, md5)
);
create index artifact_upload_blob on artifact_upload (blob_key);

alter table artifact_file
  -- The version that first stored these bytes; null: this one.
  add column birth_artifact_id int references artifact;
create index artifact_file_blob on artifact_file (blob_key);
create index artifact_file_content on artifact_file (md5, artifact_id);

-- Entries of a manifest that only point elsewhere. They are listed with the files: a client downloads what is listed.
create table artifact_reference (
  artifact_id int not null references artifact,
  path        text not null,
  ref         text not null,
  -- As in the manifest: an ETag, a checksum, or the address itself.
  digest      text not null,
  size        bigint,
  primary key (artifact_id, path)
);

-- Whoever takes a reference away leaves a trace for the sweep, in the same transaction.
create function artifact_blob_suspected() returns trigger language plpgsql as $$
begin
  update artifact_blob set suspect = true where not suspect and key in (select blob_key from gone);
  return null;
end $$;
create trigger artifact_upload_gone after delete on artifact_upload
  referencing old table as gone for each statement execute function artifact_blob_suspected();
create trigger artifact_file_gone after delete on artifact_file
  referencing old table as gone for each statement execute function artifact_blob_suspected();
`;
