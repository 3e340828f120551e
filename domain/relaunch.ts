import type { ImageInUse } from './image-in-use.js';
import { launchRequestSchema, type LaunchRequest } from './launch-request.js';

type Overrides = NonNullable<LaunchRequest['overrides']>;

/** The same again as a new launch: what was asked for then, with what is changed now. */
export function relaunchRequest(
  launch: {
    spec: LaunchRequest;
    entity: string;
    project: string;
    queue_entity: string;
    queue: string;
    /** The commit that its own branch or tag was. */
    git: { commit: string } | null;
    image: ImageInUse | null;
  },
  { overrides, ...changes }: { [K in keyof LaunchRequest]?: LaunchRequest[K] | undefined } = {},
): LaunchRequest {
  // A fixed run id would make the new launch write into the old launch's run; a hold was for the old one.
  const { runId: _runId, hold: _hold, ...before } = launch.spec;
  // What was run is what is run again, wherever the branch has gone since.
  const pinned = launch.git === null || changes.job !== undefined ? {} : { ref: launch.git.commit };
  const image = pinnedImage(launch.image, changes, overrides);
  const asked: Overrides = { ...before.overrides, ...pinned };
  // An image that an earlier relaunch named is not what this one wants.
  if (changes.job !== undefined || changesImage(overrides)) delete asked.image;
  Object.assign(asked, before.image === undefined ? image : {}, overrides);
  if (before.image !== undefined && image.image !== undefined) before.image = image.image;
  // Another job takes the place of an image.
  if (changes.job !== undefined) delete before.image;
  return launchRequestSchema.parse({
    ...before,
    // Names that were left out then meant what they mean for whoever asked then, not for whoever asks now.
    entity: launch.entity,
    project: launch.project,
    queue: `${launch.queue_entity}/${launch.queue}`,
    ...changes,
    ...(Object.keys(asked).length === 0 ? {} : { overrides: asked }),
  });
}

const changesImage = (overrides: LaunchRequest['overrides']): boolean =>
  (['ref', 'dockerfile', 'buildContext', 'baseImage', 'image', 'builder'] as const).some(
    (field) => overrides?.[field] !== undefined,
  );

/** The very image that ran, whatever its tag stands for now; unless something is changed that it depends on, or only one Engine has it. */
function pinnedImage(
  ran: ImageInUse | null,
  { job, queue }: { job?: unknown; queue?: unknown },
  overrides: LaunchRequest['overrides'],
): Pick<Overrides, 'image' | 'baseImage'> {
  if (ran === null || !ran.image.includes('@sha256:')) return {};
  if (job !== undefined || queue !== undefined || changesImage(overrides)) return {};
  return ran.use === 'base' ? { baseImage: ran.image } : { image: ran.image };
}
