import { dockerMachine } from '../support/docker-machine.js';
import { targetConformance } from '../targets/conformance.js';
import { dockerFixture } from './fixture.js';

targetConformance('docker', async () => {
  const { dockerHost, baseImage } = await dockerMachine();
  const { open, remove } = dockerFixture(baseImage, { engine: dockerHost });
  return { open, close: async () => remove() };
});
