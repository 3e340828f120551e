import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { nameOfRemote } from '../../../domain/git-remote.js';
import { partsOfImage } from '../../../domain/image-name.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { guessEntryPoint, isFolder, nameOfFolder, readNamedFile, uploadFolder } from '../../folder-job.js';
import { inputsFrom } from '../../job-inputs.js';
import { projectOf } from '../../job-reference.js';
import { createdWords } from '../../job-words.js';
import { Output } from '../../output/output.js';
import { createGitJob, createImageJob, setInputs, type Created } from '../../source-job.js';
import { splitAssignment } from '../../overrides.js';
import { collect } from '../collect.js';
import { given } from '../options.js';

const footer = `
  davit job create code examples --entry-point "python train.py"       (or: davit job create examples)
  davit job create git https://git.example.org/ada/flowers.git --ref main --entry-point "python train.py"
  davit job create image registry.example.org/team/train:1.2 --schema schema.json`;

export function defineJobCreate(command: Command): void {
  // A folder alone is what it always was.
  command.enablePositionalOptions().addHelpText('after', footer);
  defineCode(command.description('make a version of a job: of a folder, a git repository or an image'));
  defineCode(command.command('code').description('upload a folder as a version of a job'));

  addBuild(addCommon(command.command('git').argument('<remote>', 'https://…, ssh://… or user@host:path')))
    .description('a commit of a git repository as a version of a job')
    .option('-g, --ref <name>', 'branch, tag or whole commit (default: the default branch)')
    .option('--requirements <file>', 'what it needs, instead of requirements.txt of the commit')
    .option('--patch <file>', 'changes on top of the commit, as git diff writes them')
    .option('--credentials <secret>', 'name of the secret that opens the repository')
    .action(async (remote: string, options: GitOptions) => {
      if (options.entryPoint === undefined)
        throw new DavitError('missing-entry-point', 'What in it should run? Say --entry-point.');
      const api = connect(options);
      const name = options.name ?? nameOfRemote(remote);
      const made = await createGitJob(api.client, await pathOf(name, options, api), {
        remote,
        entryPoint: options.entryPoint,
        ...bodyOf(options),
        ...given({
          ref: options.ref,
          pythonVersion: options.python,
          requirements: options.requirements === undefined ? undefined : readNamedFile(options.requirements),
          patch: options.patch === undefined ? undefined : readNamedFile(options.patch),
          credentials: options.credentials,
          dockerfile: options.dockerfile,
          buildContext: options.buildContext,
          baseImage: options.baseImage,
        }),
      });
      say(made, options);
    });

  addCommon(command.command('image').argument('<image>', 'registry/name:tag, or name@sha256:…'))
    .description('a container image as a version of a job; its tag becomes a name of the version')
    .option('--arg <text>', 'fixed argument; may be repeated', collect)
    .action(async (image: string, options: CreateOptions & { arg?: string[] }) => {
      const api = connect(options);
      const name = options.name ?? partsOfImage(image).name.split('/').at(-1) ?? 'image';
      const body = { image, ...bodyOf(options), ...given({ args: options.arg, entryPoint: options.entryPoint }) };
      say(await createImageJob(api.client, await pathOf(name, options, api), body), options);
    });
}

function defineCode(command: Command): void {
  addBuild(addCommon(command.argument('<folder>', 'the folder with the code'))).action(
    async (folder: string, options: CreateOptions) => {
      if (!isFolder(folder)) throw new DavitError('wrong-usage', `${folder} is not a folder.`);
      if (options.service !== undefined)
        throw new DavitError('wrong-usage', '--service is for jobs of a repository or an image.');
      const api = connect(options);
      const entryPoint = options.entryPoint ?? guessEntryPoint(folder);
      const inputs = inputsFrom(options.schema, options.fileSchema);
      const path = await pathOf(options.name ?? nameOfFolder(folder), options, api);
      const made = await uploadFolder(api.client, {
        folder,
        ...path,
        entryPoint,
        ...given({
          aliases: options.alias,
          pythonVersion: options.python,
          description: options.description,
          dockerfile: options.dockerfile,
          buildContext: options.buildContext,
          baseImage: options.baseImage,
        }),
      });
      const warnings =
        inputs === undefined ? [] : await setInputs(api.client, { ...path, version: made.version }, inputs);
      say({ ...made, warnings: [...made.warnings, ...warnings] }, { ...options, entryPoint });
    },
  );
}

function addCommon(command: Command): Command {
  return addConnectOptions(command)
    .option('--name <name>', 'of the job (default: that of the folder, repository or image)')
    .option('-p, --project <name>', 'project, or entity/project (default: named as the job)')
    .option(
      '-E, --entry-point <command>',
      'what to run, such as "python train.py" (a folder: the only script, or train.py, or main.py)',
    )
    .option('-a, --alias <name>', 'another name for this version; may be repeated', collect)
    .option('-d, --description <text>', 'what it does')
    .option('--schema <file>', 'JSON Schema that wandb.config must fit, as JSON or YAML')
    .option('--file-schema <path=file>', 'the same for a file that the program reads; may be repeated', collect)
    .option('--service <name=policy>', 'policy is always or never; may be repeated', collect)
    .option('--json', 'as JSON');
}

function addBuild(command: Command): Command {
  return command
    .option('--python <version>', 'the Python that the job wants, such as 3.11')
    .option('-D, --dockerfile <path>', 'Dockerfile inside the code that the image is made by')
    .option('-b, --build-context <path>', 'folder of the code that the Dockerfile sees')
    .option('-B, --base-image <image>', 'image that the code is put on, instead of a Dockerfile');
}

interface CreateOptions extends ConnectOptions {
  name?: string;
  project?: string;
  entryPoint?: string;
  python?: string;
  alias?: string[];
  description?: string;
  schema?: string;
  fileSchema?: string[];
  service?: string[];
  dockerfile?: string;
  buildContext?: string;
  baseImage?: string;
  json?: boolean;
}

interface GitOptions extends CreateOptions {
  ref?: string;
  requirements?: string;
  patch?: string;
  credentials?: string;
}

const pathOf = async (name: string, options: CreateOptions, api: Connected) => ({
  ...(await projectOf(options.project ?? name, api)),
  job: name,
});

/** What jobs of a repository and of an image have in common. */
const bodyOf = (options: CreateOptions) =>
  given({
    aliases: options.alias,
    description: options.description,
    inputs: inputsFrom(options.schema, options.fileSchema),
    services: servicesFrom(options.service),
  });

function servicesFrom(words: readonly string[] | undefined): Record<string, 'always' | 'never'> | undefined {
  if (words === undefined) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const { name, value } = splitAssignment(word, '--service');
      if (value !== 'always' && value !== 'never')
        throw new DavitError('wrong-usage', `--service takes name=always or name=never, not "${word}".`);
      return [name, value];
    }),
  );
}

const say = (made: Created, options: CreateOptions): void =>
  new Output(options.json === true).result(made, () => createdWords(made, options.entryPoint));
