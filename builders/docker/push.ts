import type Docker from 'dockerode';
import { parseImageReference } from '../../domain/image-reference.js';
import type { BuildContext } from '../builder.js';
import { imageFailure } from '../failures.js';
import { engineAuth, type LoginSource } from '../registries/login.js';
import { whileUnreachable } from '../registries/registry.js';
import { engineReason } from './engine-errors.js';
import { engineMessages } from './stream.js';

/** Pushes a tag; the digest that the registry has it under. What is there already is not sent again, so a repeated push goes on where it broke. */
export async function pushImage(
  { engine, logins }: { engine: Docker; logins: LoginSource },
  name: string,
  context: BuildContext,
): Promise<string> {
  const { signal, onLog } = context;
  const host = parseImageReference(name)?.host ?? '';
  onLog(`Pushing ${name}\n`);
  return whileUnreachable(
    signal,
    (reason) => onLog(`The push broke, trying again: ${reason}\n`),
    async () => {
      const authconfig = engineAuth(host, await logins.login(host, context));
      let digest: string | undefined;
      let failure: string | undefined;
      try {
        // Without a login the Engine still wants to be told so.
        const stream = await engine.getImage(name).push({ authconfig: authconfig ?? {}, abortSignal: signal });
        for await (const { error, errorDetail, aux } of engineMessages(stream, signal)) {
          failure = errorDetail?.message ?? error ?? failure;
          digest = (aux as { Digest?: string } | undefined)?.Digest ?? digest;
        }
      } catch (error) {
        signal.throwIfAborted();
        failure = engineReason(error);
      }
      signal.throwIfAborted();
      if (failure === undefined && digest === undefined)
        failure = 'connection reset: the Engine ended the push without a result';
      if (failure !== undefined || digest === undefined) throw imageFailure('image', name, failure ?? '');
      return digest;
    },
  );
}
