/** Names that people see, for runs that came without one: adjective, noun, number within the project. */
const adjectives = [
  ...['amber', 'ancient', 'autumn', 'bold', 'breezy', 'bright', 'brisk', 'calm', 'clear', 'cobalt', 'copper', 'coral'],
  ...['crisp', 'dawn', 'deep', 'distant', 'eager', 'early', 'evening', 'fair', 'fleet', 'floral', 'fresh', 'gentle'],
  ...['gilded', 'glad', 'golden', 'hardy', 'hidden', 'icy', 'ivory', 'jolly', 'keen', 'lasting', 'light', 'lively'],
  ...[
    'lunar',
    'mellow',
    'misty',
    'morning',
    'nimble',
    'northern',
    'olive',
    'patient',
    'plain',
    'polar',
    'proud',
    'quick',
  ],
  ...['quiet', 'rapid', 'rising', 'royal', 'salty', 'serene', 'silent', 'silver', 'smooth', 'snowy', 'solar', 'steady'],
  ...['still', 'stoic', 'summer', 'sunny', 'swift', 'tidal', 'vivid', 'warm', 'wandering', 'western', 'wild', 'winter'],
];
const nouns = [
  ...['anchor', 'bay', 'beacon', 'boat', 'breeze', 'bridge', 'brook', 'buoy', 'cape', 'cliff', 'cloud', 'coast'],
  ...['compass', 'cove', 'crane', 'current', 'delta', 'dock', 'dune', 'estuary', 'fjord', 'forest', 'gale', 'glacier'],
  ...['grove', 'gull', 'harbour', 'haven', 'heron', 'hill', 'horizon', 'hull', 'island', 'keel', 'lagoon', 'lake'],
  ...['lantern', 'lark', 'lighthouse', 'mast', 'meadow', 'moon', 'oar', 'ocean', 'otter', 'pebble', 'pier', 'pine'],
  ...['plover', 'port', 'reef', 'ridge', 'river', 'rudder', 'sail', 'sand', 'sea', 'seal', 'shell', 'shore'],
  ...['skiff', 'sky', 'sound', 'spray', 'star', 'stone', 'strait', 'stream', 'surf', 'tern', 'tide', 'wave'],
];

/** `random` gives a number in [0, 1). `n` counts the runs of the project from 1. */
export function inventRunName(n: number, random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? words[0] ?? 'run';
  return `${pick(adjectives)}-${pick(nouns)}-${n}`;
}

/** What a client may choose as the short id of a run: it becomes part of paths. The rules are the wandb client's own, and a length. */
export function runNameProblem(name: string): string | undefined {
  if (name === '') return 'A run id cannot be empty.';
  if (name.length > 128) return 'A run id has at most 128 characters.';
  if (name !== name.trim()) return `The run id "${name}" cannot begin or end with a blank.`;
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[:;,#?/'\\\u0000-\u001f\u007f]/.test(name))
    return `The run id "${name.slice(0, 128)}" cannot have any of : ; , # ? / ' \\ or control characters.`;
  return name === '.' || name === '..' ? `"${name}" cannot be a run id.` : undefined;
}

/** Projects made by a client on the fly. As the wandb client, which allows blanks and more; REST asks for plain names. */
export function projectNameProblem(name: string): string | undefined {
  if (name === '') return 'A project name cannot be empty.';
  if (name.length > 128) return 'A project name has at most 128 characters.';
  if (name !== name.trim()) return `The project name "${name}" cannot begin or end with a blank.`;
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[/\\#?%:\u0000-\u001f\u007f]/.test(name))
    return `The project name "${name.slice(0, 128)}" cannot have any of / \\ # ? % : or control characters.`;
  return name === '.' || name === '..' ? `"${name}" cannot be a project name.` : undefined;
}
