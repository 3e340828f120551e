import fc from 'fast-check';
import { testSeed } from './seed.js';

/** Before each test file. A property that fails prints its seed itself. */
fc.configureGlobal({ seed: testSeed });
