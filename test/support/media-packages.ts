import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pythonWith } from './python.js';

/**
 * A folder with what programs use beside the client (arrays, pictures, TensorBoard files), for the end of `sys.path`: one for all versions of the
 * client, whose own packages go first.
 */
export async function mediaPackages(): Promise<string> {
  const program = await pythonWith('wandb-media', ['numpy==2.2.6', 'pillow==11.3.0', 'tensorboardX==2.6.4']);
  const lib = join(dirname(dirname(program)), 'lib');
  const python = (await readdir(lib)).find((name) => name.startsWith('python3'));
  if (python === undefined) throw new Error(`no Python below ${lib}`);
  return join(lib, python, 'site-packages');
}
