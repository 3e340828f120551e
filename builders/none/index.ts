import { LaunchError } from '../../domain/errors.js';
import { imageName, parseImageReference } from '../../domain/image-reference.js';
import type { BuildRequest, Builder, BuilderCheck, BuiltImage } from '../builder.js';
import { codeFolder } from '../dockerfile.js';
import { inputsDigest } from '../inputs.js';

/** Builds nothing: jobs with code run on a base image, which the target brings the code to. */
export function createNoBuilder(): Builder {
  return {
    name: 'none',
    check: async (): Promise<BuilderCheck> => ({
      ok: true,
      details: ['builds no images: jobs with code need a base image, image jobs run as they are'],
    }),
    ensureImage: async (request) => onBaseImage(request),
  };
}

function onBaseImage(request: BuildRequest): BuiltImage {
  const { options } = request;
  if (options.dockerfile !== undefined)
    throw new LaunchError(
      'builder-missing',
      'prepare',
      `This agent builds no images (builder "none"), and the job has a Dockerfile, "${options.dockerfile}".`,
    );
  const wanted = options.acceleratorBaseImage ?? options.baseImage;
  if (wanted === undefined)
    throw new LaunchError(
      'builder-missing',
      'prepare',
      'This agent builds no images (builder "none"), and the job has code but names no base image to run it on.',
    );
  const image = parseImageReference(wanted);
  if (!image) throw new LaunchError('base-image-unknown', 'prepare', `"${wanted}" is not the name of an image.`);
  const name = imageName(image);
  return {
    image: name,
    name,
    built: false,
    codeFolder,
    facts: {
      builder: 'none',
      inputs: inputsDigest(request, { name: wanted, digest: image.digest, from: name }),
      baseImage: wanted,
      ...(image.digest === undefined ? {} : { baseDigest: image.digest }),
    },
  };
}
