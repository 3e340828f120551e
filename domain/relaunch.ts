import { launchRequestSchema, type LaunchRequest } from './launch-request.js';

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
  },
  { overrides, ...changes }: { [K in keyof LaunchRequest]?: LaunchRequest[K] | undefined } = {},
): LaunchRequest {
  // A fixed run id would make the new launch write into the old launch's run; a hold was for the old one.
  const { runId: _runId, hold: _hold, ...before } = launch.spec;
  // What was run is what is run again, wherever the branch has gone since.
  const pinned = launch.git === null || changes.job !== undefined ? {} : { ref: launch.git.commit };
  const asked = { ...before.overrides, ...pinned, ...overrides };
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
