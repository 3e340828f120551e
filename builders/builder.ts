/**
 * A builder makes an image from source: found by its tag when these inputs were built before, else built once, by whoever is first.
 * Every method is safe to call again after a crash at any line, from any agent.
 */
export interface Builder {
  readonly name: BuilderName;

  /** Can images be built here? Reported at agent start and by `davit doctor`. Never throws. */
  check(): Promise<BuilderCheck>;

  /** Throws `LaunchError` (domain/errors.ts) with stage `prepare`. */
  ensureImage(request: BuildRequest, context: BuildContext): Promise<BuiltImage>;
}

export type BuilderName = 'docker' | 'buildkit' | 'none';

export interface BuilderCheck {
  ok: boolean;
  /** One sentence each: what was found, or what is missing and how to get it. */
  details: string[];
}

/** Everything that makes the image what it is, and whose it is. No secrets, only their names. */
export interface BuildRequest {
  /** Stands for all files of the source: digest of the code; commit and digest of the patch. */
  sourceDigest: string;
  /** `3.N`; undefined = any. */
  pythonVersion: string | undefined;
  /** Python requirements, one per line; undefined = the job brings none. */
  requirements: string | undefined;
  /** Folder of the file that the entry point starts, '' = the root: a `Dockerfile.wandb` may lie beside it. */
  entryFolder: string;
  options: BuildOptions;
  /** Whose build it is. What installers keep between builds is shared by those of one owner alone; the image is not made another by it. */
  owner: string;
}

/** What a job, a queue or a launch says about its image. All paths lie inside the source. */
export interface BuildOptions {
  /** Instead of `python:3.N`. */
  baseImage?: string | undefined;
  /** A base without Python or with the accelerator's own; Python is added when it lacks. */
  acceleratorBaseImage?: string | undefined;
  /** The job's own Dockerfile. */
  dockerfile?: string | undefined;
  /** Folder that its COPY lines see; default: the whole source. */
  context?: string | undefined;
  /** `linux/amd64`; default: the builder's. */
  platform?: string | undefined;
  /** User id of the job in a generated image. Default: 1000. */
  userId?: number | undefined;
  /** Variable → name of a secret: there while requirements are installed, in no layer. */
  secrets?: Record<string, string> | undefined;
}

export interface BuildContext {
  signal: AbortSignal;
  onLog(text: string): void;
  /** The unpacked source; asked for only when something has to be built. It stays until the preparation has ended. */
  source(): Promise<string>;
  /** The value of a named secret. */
  secret(name: string): Promise<string>;
  /** Runs the work while nobody else, on whatever machine, runs work of the same key. */
  alone: BuildLock;
}

/** Dies with its holder. Two may come through when the holder was cut off for long: doing it twice costs time and breaks nothing. */
export type BuildLock = <T>(key: string, onWait: () => void, work: () => Promise<T>) => Promise<T>;

export interface BuiltImage {
  /** What to run: `repository@sha256:…` when a registry has it, else the id of the Engine's own image. */
  image: string;
  /** `repository:tag`, for people. */
  name: string;
  /** Was it built now, or found? */
  built: boolean;
  /**
   * Present: the image holds no code. The target brings it to this folder and has the requirements installed at start. Absent: the code lies in
   * the image's own working folder.
   */
  codeFolder?: string;
  facts: ImageFacts;
}

/** What is known of the image's origin, for the job's page and for whoever asks what was in it. */
export interface ImageFacts {
  builder: BuilderName;
  /** Digest over all inputs. */
  inputs: string;
  baseImage?: string;
  baseDigest?: string;
  platform?: string;
  /** Exact versions of all Python packages, as `pip freeze` writes them. */
  requirementsLock?: string;
}
