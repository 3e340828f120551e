import type { Logger } from 'pino';
import type { Builders } from '../builders/register.js';

/** At the start of an agent with an Engine: what it will build images with. One that cannot build still runs images as they are. */
export async function sayBuilder(builders: Builders, log: Logger): Promise<void> {
  try {
    const builder = builders.of(undefined);
    const { ok, details } = await builder.check();
    const about = { builder: builder.name, details };
    if (ok) log.info(about, 'can make images of code');
    else log.warn(about, 'cannot make images of code; images run as they are');
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'cannot make images of code; images run as they are');
  }
}
