import type { Readable } from 'node:stream';
import { create } from 'tar';
import { codeFolder } from './plan.js';

/**
 * The code as the Engine unpacks it into a container. Whoever the image makes the job run as may write beside it, as it could on a machine of
 * its own: the copy is this job's alone.
 */
export function archiveOfCode(folder: string): Readable {
  return create(
    {
      cwd: folder,
      prefix: codeFolder.slice(1),
      portable: true,
      onWriteEntry: ({ stat }) => {
        if (!stat || stat.isSymbolicLink()) return;
        stat.mode |= stat.isDirectory() ? 0o777 : 0o666 | (stat.mode & 0o100 ? 0o111 : 0);
      },
    },
    ['.'],
  ) as unknown as Readable;
}
