import { join } from 'node:path';
import { z } from 'zod';

/** What an agent may pass on to a job or an installer: exact names, or a beginning followed by `*`. */
const patternSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/, 'a variable name, or its beginning and "*"');

const defaultInherited = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'LC_*',
  'TZ',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'LD_LIBRARY_PATH',
  'CUDA_*',
  'NVIDIA_*',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'OMP_NUM_THREADS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
];

export const processTargetConfigSchema = z.strictObject({
  /** Jobs, their logs and outcomes. On a disk of this machine: process numbers mean nothing on another one. */
  workFolder: z.string().min(1),
  /** Python environments; may be shared by several work folders of one machine. Default: `environments` in the work folder. */
  environmentCacheFolder: z.string().min(1).optional(),
  /** The agent's own environment. Only what `inheritEnvironment` names ever leaves it. */
  hostEnvironment: z.record(z.string(), z.string().optional()),
  /** What every job inherits. */
  inheritEnvironment: z.array(patternSchema).default(defaultInherited),
  /** What the installer of requirements gets besides; index settings may hold credentials, so the job does not see them. */
  installerEnvironment: z.array(patternSchema).default(['PIP_*', 'UV_*', 'NETRC']),
  /** Tried in this order when the job's own wish (`python3.N`) is not there. */
  pythonPrograms: z.array(z.string().min(1)).min(1).default(['python3', 'python']),
  /** Of each of stdout and stderr. What a job prints beyond it is not kept. */
  maxLogBytes: z
    .int()
    .min(1024)
    .default(1024 ** 3),
  maxCodeBytes: z
    .int()
    .min(1)
    .default(8 * 1024 ** 3),
  maxCodeFiles: z.int().min(1).default(200_000),
  /** How long outcome and logs of an ended job stay after `cleanUp`. */
  keepMs: z
    .int()
    .min(0)
    .default(24 * 3600 * 1000),
});

export type ProcessTargetOptions = z.input<typeof processTargetConfigSchema>;
export type ProcessTargetConfig = z.output<typeof processTargetConfigSchema> & { environmentCacheFolder: string };

export function parseProcessTargetConfig(options: ProcessTargetOptions): ProcessTargetConfig {
  // `process.env` is no plain object everywhere.
  const config = processTargetConfigSchema.parse({ ...options, hostEnvironment: { ...options.hostEnvironment } });
  return {
    ...config,
    environmentCacheFolder: config.environmentCacheFolder ?? join(config.workFolder, 'environments'),
  };
}
