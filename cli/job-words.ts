import type { Api } from '../client/index.js';
import { wordsOfEntryPoint } from './folder-job.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';

export function createdWords(made: Api<'CreatedJobVersion'>, entryPoint: string | undefined): string {
  const name = `${made.entity}/${made.project}/${made.job}:${made.version}`;
  const size =
    made.files === 0 ? '' : ` (${made.files} ${made.files === 1 ? 'file' : 'files'}, ${sizeWords(made.bytes)})`;
  const commit = made.commit === undefined ? '' : ` of commit ${made.commit.slice(0, 12)}`;
  const runs = entryPoint === undefined ? '' : `, runs ${wordsOfEntryPoint(entryPoint)}`;
  const what = made.created ? `Made ${name}${size}${commit}${runs}` : `No changes: ${name} is the same`;
  return [what, ...made.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

type Version = Api<'JobVersion'>;

/** What is known of a version, for people. */
export function versionWords(name: string, version: Version, out: Output): string {
  const { colors } = out;
  const title = `${colors.bold(`${name}:${version.version}`)}  ${version.kind ?? 'not understood'}`;
  return [title, ...factLines(versionFacts(version), 12, colors)].join('\n');
}

interface Source {
  artifact?: string;
  git?: { remote?: string; commit?: string; ref?: string; credentials?: string };
  image?: string;
  args?: string[];
  notebook?: boolean;
  dockerfile?: string;
  build_context?: string;
  base_image?: string;
}

function versionFacts(version: Version): Fact[] {
  const { git, image, args, dockerfile, build_context: context, base_image: baseImage } = version.source as Source;
  const services = Object.entries(version.services).map(([name, policy]) => `${name}=${policy}`);
  return [
    ['names', version.aliases.length === 0 ? null : version.aliases.join(', ')],
    ['about', version.description === '' ? null : version.description],
    ['runs', version.entryPoint?.join(' ') ?? null],
    ['arguments', args?.join(' ') ?? null],
    ['python', version.pythonVersion],
    ['code', version.codeDigest],
    ['repository', git?.remote ?? null],
    ['commit', git?.commit === undefined ? null : `${git.commit}${git.ref === undefined ? '' : ` (${git.ref})`}`],
    ['secret', git?.credentials ?? null],
    ['changes', version.patched ? 'on top of the commit' : null],
    ['image', image ?? null],
    ['dockerfile', dockerfile === undefined ? null : `${dockerfile}${context === undefined ? '' : ` in ${context}`}`],
    ['base image', baseImage ?? null],
    ['services', services.length === 0 ? null : services.join(', ')],
    ['inputs', inputWords(version)],
    ['launches', version.launches === 0 ? 'none' : `${version.launches}, the last ${ago(version.lastLaunchAt)}`],
    ['made', `${ago(version.createdAt)} by ${version.createdBy}`],
  ];
}

interface Field {
  type?: string | string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
}

function inputWords({ inputs, partial }: Version): string[] | string {
  if (inputs === null) return partial ? 'not known: it has not run, and nobody has said them' : 'anything';
  const config = inputs.config as { properties?: Record<string, Field>; required?: string[] } | undefined;
  const fields = Object.entries(config?.properties ?? {}).map(([name, field]) =>
    fieldWords(name, field, Array.isArray(config?.required) && config.required.includes(name)),
  );
  const files = Object.keys(inputs.files ?? {}).map((path) => `file ${path}`);
  const all = [...fields, ...files];
  return all.length === 0 ? 'a schema without fields (--json shows it)' : all;
}

function fieldWords(name: string, field: Field, needed: boolean): string {
  const words = [
    field.enum === undefined
      ? [field.type ?? []].flat().join(' or ')
      : field.enum.map((choice) => JSON.stringify(choice)).join(' | '),
    field.minimum === undefined ? '' : `at least ${field.minimum}`,
    field.maximum === undefined ? '' : `at most ${field.maximum}`,
    field.default === undefined ? (needed ? 'needed' : '') : `default ${JSON.stringify(field.default)}`,
    field.description ?? '',
  ].filter((word) => word !== '');
  return words.length === 0 ? name : `${name}: ${words.join(', ')}`;
}

/** What changed from one version to another. */
export function diffWords(diff: Api<'JobDiff'>, { colors }: Output): string {
  const { fields, requirements, files, filesChanged } = diff;
  const shown = (value: unknown): string => (value === null ? '(nothing)' : JSON.stringify(value));
  const signs = { added: colors.green('+'), removed: colors.red('-'), changed: colors.yellow('~') };
  const lines = [
    ...fields.map(({ field, from, to }) => `  ${field}: ${shown(from)} -> ${shown(to)}`),
    ...requirements.removed.map((line) => `  ${signs.removed} requirement ${line}`),
    ...requirements.added.map((line) => `  ${signs.added} requirement ${line}`),
    ...files.map(({ path, change }) => `  ${signs[change]} ${path}`),
    ...(filesChanged > files.length ? [`  and ${filesChanged - files.length} more files`] : []),
  ];
  return lines.length === 0
    ? `${diff.from} and ${diff.to} are the same.`
    : [`${colors.bold(`${diff.from} -> ${diff.to}`)}`, ...lines].join('\n');
}
