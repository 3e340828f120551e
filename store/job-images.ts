import type { ImageInUse } from '../domain/image-in-use.js';
import type { Store } from './open.js';

/** An image that was built of a version of a job, or found. */
export interface JobImage {
  /** By digest where a registry has it. */
  image: string;
  name: string;
  /** Digest over all inputs of the build. */
  inputs: string;
  /** Its base with digest, its exact packages: what somebody asks for who must say what was in it. */
  facts: Record<string, unknown>;
}

/** What this launch runs. */
export async function recordImageInUse(db: Store, launchId: string, { image, name, use }: ImageInUse): Promise<void> {
  await db
    .updateTable('launch')
    .set({ image: JSON.stringify({ image, name, use }) })
    .where('id', '=', launchId)
    .execute();
}

/** What is known of an image is kept once; whoever finds it later knows less of it than who built it. */
export async function recordJobImage(
  db: Store,
  jobArtifactId: number,
  { image, name, inputs, facts }: JobImage,
): Promise<void> {
  await db
    .insertInto('job_image')
    .values({ artifact_id: jobArtifactId, inputs, image, name, facts: JSON.stringify(facts) })
    .onConflict((conflict) => conflict.columns(['artifact_id', 'inputs']).doUpdateSet({ image, name }))
    .execute();
}

/** The images of a version, the newest first. */
export async function imagesOfJob(db: Store, jobArtifactId: number): Promise<(JobImage & { builtAt: Date })[]> {
  const rows = await db
    .selectFrom('job_image')
    .selectAll()
    .where('artifact_id', '=', jobArtifactId)
    .orderBy('built_at', 'desc')
    .limit(100)
    .execute();
  return rows.map(({ image, name, inputs, facts, built_at: builtAt }) => ({ image, name, inputs, facts, builtAt }));
}
