import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { bytesOf } from './sizes.js';

/**
 * What a queue or a launch may set for a container: the flags of `docker run` that wandb's agent takes, in its spelling or with `_`, and a
 * few of our own. Nothing here reaches the host: volumes, devices, networks and privileges are the operator's, in the agent's settings.
 */

const text = z.string().max(65_536);
const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?[0-9]+(\.[0-9]+)?$/, 'not a number')
    .transform(Number),
]);
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) => number.pipe(z.int().min(min).max(max));
const size = (min: number) =>
  z
    .union([z.string(), z.number()])
    .transform((value) => bytesOf(value))
    .pipe(z.int('not a size, such as 512m or 8g').min(min, `at least ${min} bytes`));
const cpuSet = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$/, 'not a list of numbers, such as 0-3,8'));

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** `NAME=value` alone: `NAME` would mean the agent's own, and its environment is nobody else's business. */
const variable = text.refine(
  (pair) => variableName.test(pair.split('=')[0] ?? '') && pair.includes('='),
  'write NAME=value; a name alone would take the value of the agent',
);
const pairs = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(list.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
const environment = z.union([
  variable.transform((pair) => pairs([pair])),
  z.array(variable).max(1000).transform(pairs),
  z.record(z.string().regex(variableName, 'not the name of a variable'), text),
]);

const ulimit = z
  .string()
  .regex(/^[a-z]+=-?[0-9]+(:-?[0-9]+)?$/, 'write name=soft or name=soft:hard, such as nofile=1024:2048')
  .transform((line) => {
    const [name = '', limits = ''] = line.split('=');
    const [soft = '0', hard = soft] = limits.split(':');
    return { Name: name, Soft: Number(soft), Hard: Number(hard) };
  });

export interface GpuRequest {
  /** -1: all. */
  Count?: number;
  DeviceIDs?: string[];
}

const deviceId = /^[A-Za-z0-9:_-]+$/;
const gpus = z.union([z.int(), z.string()]).transform((value, context): GpuRequest => {
  const asked = String(value)
    .trim()
    .replace(/^"(.*)"$/, '$1');
  if (asked === 'all' || asked === '-1') return { Count: -1 };
  if (/^[0-9]{1,3}$/.test(asked)) return { Count: Number(asked) };
  const ids = asked.startsWith('device=') ? asked.slice('device='.length).split(',') : [];
  if (ids.length > 0 && ids.every((id) => deviceId.test(id))) return { DeviceIDs: ids };
  context.addIssue({ code: 'custom', message: 'write all, a number, or device=0,1 (numbers or ids of GPUs)' });
  return z.NEVER;
});

const schema = z.strictObject({
  command: z.union([z.string().min(1).max(65_536), z.array(text).min(1).max(1024)]).optional(),
  cpus: number.pipe(z.number().positive().max(4096)).optional(),
  'cpu-period': whole(1000, 1_000_000).optional(),
  'cpu-quota': whole(-1).optional(),
  'cpu-shares': whole(0, 262_144).optional(),
  'cpuset-cpus': cpuSet.optional(),
  'cpuset-mems': cpuSet.optional(),
  env: environment.optional(),
  gpus: gpus.optional(),
  memory: size(6 * 1024 ** 2).optional(),
  'memory-reservation': size(0).optional(),
  'memory-swap': z.union([z.literal(-1), z.literal('-1').transform(() => -1), size(0)]).optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'at most 63 letters, digits and "-"')
    .optional(),
  'pids-limit': whole(-1).optional(),
  platform: z
    .string()
    .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, 'write os/architecture, such as linux/amd64')
    .optional(),
  'shm-size': size(0).optional(),
  ulimit: z.union([ulimit.transform((one) => [one]), z.array(ulimit).max(32)]).optional(),
  workdir: z
    .string()
    .max(4096)
    .regex(/^\/[^\0]*$/, 'an absolute path in the container')
    .optional(),
  pull: z.enum(['always', 'newer', 'missing', 'never']).optional(),
  graceSeconds: number.pipe(z.number().min(0).max(86_400)).optional(),
});
export type DockerResources = z.output<typeof schema>;

/** Other names of the same thing: short flags, and what people write for it. */
const aliases = new Map([
  ['e', 'env'],
  ['m', 'memory'],
  ['w', 'workdir'],
  ['cpu', 'cpus'],
  ['grace-seconds', 'graceSeconds'],
]);

/** What wandb's older pages show and its agents refuse; said by name, because people try them. */
const ofTheOperator =
  /^(v|volumes?|mounts?|network|net|privileged|devices?|cap-add|user|u|security-opt|pid|ipc|runtime|add-host|dns|entrypoint|p|publish)$/;

export function readResourceConfig(config: Record<string, unknown>): DockerResources {
  const errors: { path: string; message: string }[] = [];
  const given: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(config)) {
    const dashed = written === 'graceSeconds' ? written : written.replaceAll('_', '-');
    const key = aliases.get(dashed) ?? dashed;
    if (!Object.hasOwn(schema.shape, key)) {
      const message = ofTheOperator.test(key)
        ? 'is not for a queue or a launch to set: the operator of the agent gives jobs their network and volumes'
        : `unknown key; a container takes ${Object.keys(schema.shape).join(', ')}`;
      errors.push({ path: written, message });
    } else if (Object.hasOwn(given, key)) errors.push({ path: written, message: `is given twice, as ${key} too` });
    else if (value !== null && value !== undefined) given[key] = value;
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    for (const issue of parsed.error.issues) errors.push({ path: issue.path.join('.'), message: said(issue) });
  if (parsed.success && errors.length === 0) errors.push(...contradictions(parsed.data));
  if (parsed.success && errors.length === 0) return parsed.data;
  const sentence = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new DavitError('invalid-request', `The resource config does not fit the docker target: ${sentence}.`, {
    errors,
  });
}

/** A union says only that nothing fitted; what its most promising member says is of more use. */
function said(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message;
  const reasons = issue.errors.flatMap((each) => each.map((one) => one.message));
  return reasons.find((reason) => !reason.startsWith('Invalid input')) ?? reasons[0] ?? issue.message;
}

/** What the Engine would refuse only when the job is created. */
function contradictions(given: DockerResources): { path: string; message: string }[] {
  const found: { path: string; message: string }[] = [];
  const { memory, cpus } = given;
  const swap = given['memory-swap'];
  const reservation = given['memory-reservation'];
  if (swap !== undefined && swap > 0 && memory === undefined)
    found.push({ path: 'memory-swap', message: 'needs memory, of which it is the sum with the swap space' });
  if (swap !== undefined && swap > 0 && memory !== undefined && swap < memory)
    found.push({ path: 'memory-swap', message: 'is less than memory; it counts memory and swap together' });
  if (reservation !== undefined && memory !== undefined && reservation > memory)
    found.push({ path: 'memory-reservation', message: 'is more than memory' });
  if (cpus !== undefined && (given['cpu-quota'] !== undefined || given['cpu-period'] !== undefined))
    found.push({ path: 'cpus', message: 'says the same as cpu-quota and cpu-period: give one of them' });
  return found;
}
