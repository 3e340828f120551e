import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { type Engine, EngineAway, statusOf } from '../../targets/docker/engine.js';
import type { BuildContext } from '../builder.js';
import { Progress } from '../buildkit/progress.js';
import { readStatus } from '../buildkit/protocol.js';
import { Session } from '../buildkit/session.js';
import { dockerfileName, type BuildRecipe } from '../ensure-image.js';
import { buildFailure } from '../failures.js';
import { registryHost, type LoginSource } from '../registries/login.js';
import { engineReason } from './engine-errors.js';
import { engineMessages } from './stream.js';

export interface EngineBuild {
  engine: Engine;
  logins: LoginSource;
  cacheFrom: readonly string[];
  /** Write into the image what other builders need to use its layers. */
  withCache: boolean;
}

/** Builds and tags; the id of the image. Throws EngineAway when the Engine went away meanwhile. */
export async function buildOnEngine(
  { engine, logins, cacheFrom, withCache }: EngineBuild,
  recipe: BuildRecipe,
  context: BuildContext,
): Promise<string> {
  const { signal, onLog } = context;
  const session = new Session({
    credentials: (host) => logins.login(registryHost(host), context),
    secret: async (id) => {
      const value = recipe.secrets.get(id);
      return value === undefined ? undefined : Buffer.from(value);
    },
  });
  const progress = new Progress(onLog);
  let id: string | undefined;
  let message: string | undefined;
  const archive = await recipe.archive();
  try {
    session.serve(await engine.call((docker, soon) => openSession(docker, session, soon), { signal }));
    const messages = engineMessages(
      engine,
      (docker, abortSignal) =>
        docker.buildImage(archive, {
          // BuildKit. A number: of the text "2" its client makes a session of its own, which knows no secrets.
          version: 2,
          session: session.id,
          dockerfile: dockerfileName,
          t: recipe.name,
          labels: recipe.labels,
          ...(recipe.target === undefined ? {} : { target: recipe.target }),
          ...(recipe.platform === undefined ? {} : { platform: recipe.platform }),
          ...(cacheFrom.length === 0 ? {} : { cachefrom: JSON.stringify(cacheFrom) }),
          buildargs: { ...recipe.arguments, ...(withCache ? { BUILDKIT_INLINE_CACHE: '1' } : {}) },
          abortSignal,
        } as unknown as Docker.ImageBuildOptions),
      signal,
    );
    for await (const one of messages) {
      if (one.id === 'moby.buildkit.trace' && typeof one.aux === 'string')
        progress.take(readStatus(Buffer.from(one.aux, 'base64')));
      else if (one.id === 'moby.image.id') id = (one.aux as { ID?: string }).ID;
      message = one.errorDetail?.message ?? one.error ?? message;
    }
  } catch (error) {
    signal.throwIfAborted();
    // A refusal has the Engine's own words (a Dockerfile that cannot be read).
    throw statusOf(error) === undefined ? error : buildFailure(engineReason(error), undefined, error);
  } finally {
    session.close();
    archive.destroy();
  }
  signal.throwIfAborted();
  if (message !== undefined) throw buildFailure(message, progress.failed);
  // An Engine that dies ends its answer like one that is done.
  if (id === undefined) throw new EngineAway(`The Docker Engine at ${engine.shown} ended the build without a result`);
  return id;
}

/** The connection on which the Engine calls back. */
function openSession(docker: Docker, session: Session, signal: AbortSignal): Promise<Duplex> {
  const request = {
    method: 'POST',
    path: '/session',
    hijack: true,
    // A body of no bytes: without one its client ends the request with a few bytes that the Engine then reads as the session's first.
    file: Buffer.alloc(0),
    headers: { Upgrade: 'h2c', ...session.headers },
    statusCodes: { 200: true, 101: true },
    abortSignal: signal,
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(request, (error, socket) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      // Nobody waits for it any more.
      else if (signal.aborted) (socket as Duplex).destroy();
      else resolve(socket as Duplex);
    });
  });
}
