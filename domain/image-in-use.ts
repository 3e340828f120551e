/** What a launch ran, as its agent found it. */
export interface ImageInUse {
  /** `repository@sha256:…` where a registry has it; else the id that it has on its Engine. */
  image: string;
  /** As it was asked for, or as it was built: `repository:tag`. */
  name: string;
  /** `base`: code was brought to it. `built`: it was made of the code. */
  use: 'image' | 'base' | 'built';
}

export const imageUses = ['image', 'base', 'built'] as const satisfies readonly ImageInUse['use'][];
