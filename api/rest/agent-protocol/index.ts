import { claimOne, confirmOne, giveBackOne } from './claim.js';
import { heartbeat, hello } from './duty.js';
import { code, log, patch, progress } from './job.js';
import { buildLock, image } from './image.js';

import { masks, namedSecrets, secrets } from './secrets.js';

/**
 * What agents say to the API (docs/claim-protocol.md). Every call about a launch carries its claim and is refused when the claim is not the
 * launch's present one; every call may be repeated.
 */
export const agentProtocolRoutes = [
  hello,
  heartbeat,
  claimOne,
  confirmOne,
  giveBackOne,
  progress,
  log,
  secrets,
  namedSecrets,
  masks,
  code,
  patch,
  buildLock,
  image,
];
