import { parseImageReference } from '../../domain/image-reference.js';
import { type Engine, EngineAway } from '../../targets/docker/engine.js';
import type { BuildContext } from '../builder.js';
import { imageFailure } from '../failures.js';
import { engineAuth, type LoginSource } from '../registries/login.js';
import { whileUnreachable } from '../registries/registry.js';
import { engineReason } from './engine-errors.js';
import { engineMessages } from './stream.js';

interface Push {
  engine: Engine;
  logins: LoginSource;
}

/**
 * Pushes a tag; the digest that the registry has it under. What is there already is not sent again, so a repeated push goes on where it broke.
 * Throws EngineAway when it was the Engine that went.
 */
export async function pushImage(parts: Push, name: string, context: BuildContext): Promise<string> {
  const { signal, onLog } = context;
  onLog(`Pushing ${name}\n`);
  const pushed = await whileUnreachable(
    signal,
    (reason) => onLog(`The push broke, trying again: ${reason}\n`),
    () =>
      pushOnce(parts, name, context).catch((error: unknown) => {
        // Sounds like a registry that is away, and is not the registry's.
        if (error instanceof EngineAway) return error;
        throw error;
      }),
  );
  if (pushed instanceof EngineAway) throw pushed;
  return pushed;
}

async function pushOnce({ engine, logins }: Push, name: string, context: BuildContext): Promise<string> {
  const { signal } = context;
  const host = parseImageReference(name)?.host ?? '';
  const authconfig = engineAuth(host, await logins.login(host, context));
  let digest: string | undefined;
  let failure: string | undefined;
  try {
    const messages = engineMessages(
      engine,
      // Without a login the Engine still wants to be told so.
      (docker, abortSignal) => docker.getImage(name).push({ authconfig: authconfig ?? {}, abortSignal }),
      signal,
    );
    for await (const { error, errorDetail, aux } of messages) {
      failure = errorDetail?.message ?? error ?? failure;
      digest = (aux as { Digest?: string } | undefined)?.Digest ?? digest;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineAway) throw error;
    failure = engineReason(error);
  }
  signal.throwIfAborted();
  if (failure !== undefined) throw imageFailure('image', name, failure);
  // An Engine that dies ends its answer like one that is done.
  if (digest === undefined)
    throw new EngineAway(`The Docker Engine at ${engine.shown} ended the push without a result`);
  return digest;
}
