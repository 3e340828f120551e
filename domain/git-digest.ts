import { createHash } from 'node:crypto';

/** Stands for the files of a commit, and of what the job changes on top of it. Not for workflow code: it has no node:crypto. */
export const digestOfGit = (
  source: { remote: string; commit: string; patched?: boolean },
  patchDigest: string | undefined,
): string =>
  createHash('sha256')
    .update(JSON.stringify([source.remote, source.commit, source.patched === true ? patchDigest : null]))
    .digest('hex');
