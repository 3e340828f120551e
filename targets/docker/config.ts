import { z } from 'zod';
import { pullPolicies } from './plan.js';

/** A place of the host, or the name of a volume; where it is in the container; `:ro`. Written by the operator, never by a launch. */
const volumeSchema = z
  .string()
  .regex(/^(\/[^:\0]*|[A-Za-z0-9][A-Za-z0-9_.-]*):\/[^:\0]*(:(ro|rw))?$/, 'write /host/path:/container/path[:ro]');

export const dockerTargetConfigSchema = z.strictObject({
  /** For what is fetched before it goes to the Engine, and what is known of it. */
  workFolder: z.string().min(1),
  /** The agent's own environment: where the Engine is, and the package index for requirements. Jobs get nothing of it. */
  hostEnvironment: z.record(z.string(), z.string().optional()),
  /** `unix:///path`, `tcp://host:port`, `ssh://user@host`. Default: as Docker's own command would find it. */
  engine: z.string().min(1).optional(),
  network: z.string().min(1).optional(),
  apiUrl: z.url({ protocol: /^https?$/ }).optional(),
  volumes: z.array(volumeSchema).default([]),
  baseImage: z.string().min(1).optional(),
  pull: z.enum(pullPolicies).optional(),
  /** Images and old containers make way when the Engine's disk has less than this left. 0: never. */
  diskFloorBytes: z
    .int()
    .min(0)
    .default(2 * 1024 ** 3),
  maxLogBytes: z
    .int()
    .min(1024 ** 2)
    .default(1024 ** 3),
  maxCodeBytes: z
    .int()
    .min(1)
    .default(8 * 1024 ** 3),
  maxCodeFiles: z.int().min(1).default(200_000),
  /** How long the container of a job stays that has ended and was cleaned up. */
  keepMs: z
    .int()
    .min(0)
    .default(4 * 3600_000),
  /** How long a step waits for an Engine that does not answer. */
  patienceMs: z.int().min(0).default(60_000),
});

export type DockerTargetOptions = z.input<typeof dockerTargetConfigSchema>;
export type DockerTargetConfig = z.output<typeof dockerTargetConfigSchema>;
