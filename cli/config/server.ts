import { boolean, integer, path, text, url } from './kinds.js';
import {
  gitAllowed,
  logFormat,
  logLevel,
  metricsHost,
  metricsPort,
  metricsToken,
  port,
  postgresUrl,
  temporal,
  window,
} from './common.js';
import { optional, required, setting } from './settings.js';

/** `davit server`: the API. */
export const serverSettings = {
  host: setting(text('a host name or address', /^[^\s/]+$/), '127.0.0.1', {
    description: 'The address to listen on.',
    reason: 'Loopback: nothing is reachable from outside until somebody says so.',
  }),
  port: setting(port, 8080, {
    description: 'The port to listen on.',
    reason: 'The usual port of a web service without special rights.',
  }),
  publicUrl: optional(url(['http', 'https'], 'https://davit.example.org'), {
    description: 'The address under which clients and jobs reach this API. It stands in every signed URL.',
    reason: 'Behind a proxy the API cannot know it.',
    defaultText: 'http://<host>:<port>',
  }),
  databaseUrl: required(postgresUrl, {
    description: 'The PostgreSQL database.',
    reason: 'All state that must not be lost lies there; nothing sensible can be assumed.',
    alsoEnv: ['DATABASE_URL'],
    secret: 'url',
  }),
  databaseConnections: setting(integer(2, 500), 20, {
    description: 'The most connections of this process to the database.',
    reason:
      'A query takes milliseconds, so 20 carry some thousand requests a second; PostgreSQL allows 100 in all by default.',
  }),
  ...temporal,
  blobs: optional(text('a folder, or s3://bucket/prefix', /^\S.*$/), {
    description: 'Where files, artifacts and logs are kept: a folder, or s3://bucket/prefix.',
    reason: 'A folder serves one API process; several need S3-compatible storage.',
    defaultText: '<home>/blobs',
  }),
  s3Endpoint: optional(url(['http', 'https'], 'https://minio.example.org'), {
    description: 'The address of an S3-compatible storage that is not AWS.',
    reason: 'AWS is found by region.',
  }),
  s3Region: setting(text('a region'), 'us-east-1', {
    description: 'The region of the bucket. Credentials come from the usual AWS variables and files.',
    reason: 'What most S3-compatible storages expect when they have no regions.',
  }),
  s3PublicEndpoint: optional(url(['http', 'https'], 'https://files.example.org'), {
    description: 'The address by which clients reach the storage, when it is another than for this process.',
    reason: 'Files travel between clients and the storage directly.',
  }),
  s3PathStyle: setting(boolean(), false, {
    description: 'Write https://host/bucket/key instead of https://bucket.host/key.',
    reason: 'AWS wants the second; most S3-compatible storages need the first.',
  }),
  adminName: setting(text('a name', /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/), 'admin', {
    description: 'The name of the first user, made when the database has none.',
    reason: 'Somebody must be able to make the others.',
  }),
  adminKeyFile: optional(path(), {
    description: "The file for the first user's key, made with mode 0600.",
    reason: 'Without it the key is printed, once.',
    defaultText: '<home>/keys/admin',
  }),
  home: optional(path(), {
    description: 'The data folder, for the defaults of `blobs` and `adminKeyFile`.',
    reason: 'Everything that is not in the database lies under one folder.',
    defaultText: '~/.davit',
  }),
  secretKeys: optional(text('id:base64, of 32 bytes each, separated by commas'), {
    description: 'The keys that secrets are stored under; the first for new ones. `davit secret new-key` makes one.',
    reason:
      'They must not lie where the secrets lie, so the database does not have them. Without a key there are no secrets.',
    secret: 'yes',
  }),
  secretKeysFile: optional(path(), {
    description: 'A file that holds the keys, one a line, instead of `secretKeys`.',
    reason: 'Mounted secrets are files.',
    defaultText: 'none; `davit up` makes <home>/keys/secrets',
  }),
  gitAllowed,
  window,
  requestsPerSecond: optional(integer(1, 1_000_000), {
    description: 'The most requests per second and key; more are answered with 429.',
    reason: 'No limit: on loopback there is nobody to be protected from.',
  }),
  migrate: setting(boolean(), true, {
    description: 'Bring the database to this version at start.',
    reason: 'Several processes may do it at once: one works and the others wait.',
  }),
  metricsPort,
  metricsHost,
  metricsToken,
  logLevel,
  logFormat,
};
