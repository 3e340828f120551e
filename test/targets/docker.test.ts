import { targetConformance } from './conformance.js';
import { dockerFixture } from './docker-fixture.js';

targetConformance('docker', async () => {
  const { open, remove } = dockerFixture();
  return { open, close: async () => remove() };
});
