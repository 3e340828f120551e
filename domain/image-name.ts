/** Names of container images. */

/** `registry.example/team/train:1.2` → name and tag, as the wandb client takes them apart. */
export function partsOfImage(image: string): { name: string; tag?: string } {
  const [reference = ''] = image.split('@');
  const colon = reference.lastIndexOf(':');
  const tag = colon > reference.lastIndexOf('/') ? reference.slice(colon + 1) : '';
  return tag === '' ? { name: reference } : { name: reference.slice(0, colon), tag };
}

/** Why this is not the name of an image; undefined: it is. */
export const imageProblem = (image: string): string | undefined =>
  image.length <= 512 &&
  /^[a-zA-Z0-9][\w.-]*(:\d{1,5})?(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/.test(
    image,
  )
    ? undefined
    : `"${image.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')}" is not the name of an image: write registry/name:tag, or name@sha256:….`;
