import type { Store } from '../open.js';
import type { Blobs } from './blobs.js';
import { folderBlobs } from './folder.js';
import type { S3BlobsOptions } from './s3.js';
import { linkSecret, linkSigner } from './signed-url.js';

export type BlobSettings = { kind: 'folder'; folder: string } | ({ kind: 's3' } & S3BlobsOptions);

/** `publicUrl`: where clients reach the API, for addresses into a folder. The database must be migrated. */
export async function openBlobs(settings: BlobSettings, deps: { db: Store; publicUrl: string }): Promise<Blobs> {
  switch (settings.kind) {
    case 'folder':
      return folderBlobs({
        folder: settings.folder,
        signer: linkSigner(await linkSecret(deps.db)),
        publicUrl: deps.publicUrl,
      });
    case 's3': {
      // The AWS SDK takes a while to load, and nobody with a folder needs it.
      const { s3Blobs } = await import('./s3.js');
      return s3Blobs(settings);
    }
  }
}
