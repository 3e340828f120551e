import { z } from 'zod';

/** Where a run was made, as its client noted it; what the client could not tell is absent. */
export const runMetadataSchema = z
  .object({
    os: z.string().optional(),
    python: z.string().optional(),
    program: z.string().optional(),
    codePath: z.string().optional(),
    args: z.array(z.string()).optional(),
    host: z.string().optional(),
    executable: z.string().optional(),
    cpuCount: z.int().optional(),
    gpu: z.string().optional(),
    gpuCount: z.int().optional(),
    git: z.object({ remote: z.string().optional(), commit: z.string().optional() }).optional(),
  })
  .meta({ id: 'RunMetadata' });
