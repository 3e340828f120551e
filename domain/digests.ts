import { createHash } from 'node:crypto';

/** Digests as the wandb client computes them. Not for workflow code: it has no node:crypto. */

export const md5Base64 = (data: Uint8Array): string => createHash('md5').update(data).digest('base64');

/** Digest of an artifact: hex MD5 over its files, sorted by path. The same folder gives the same digest, wherever it is uploaded. */
export function manifestDigest(files: readonly { path: string; md5: string }[]): string {
  const hash = createHash('md5').update('wandb-artifact-manifest-v1\n');
  for (const file of [...files].sort((a, b) => comparePaths(a.path, b.path))) hash.update(`${file.path}:${file.md5}\n`);
  return hash.digest('hex');
}

/** By code points, as Python sorts; JavaScript's own order is by UTF-16 units, which differs beyond U+FFFF. */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
