/** Which git addresses and revisions a job may name: they are handed to git on machines that hold credentials. */

/** Addresses beyond https and ssh that an operator allows, each by its beginning: `http://git.lan/`, `file:///srv/git/`. */
export type AllowedRemotes = readonly string[];

const refused = (url: string): string =>
  `The git address "${shown(url)}" is refused: it must be https://…, ssh://… or user@host:path.`;

/** Why this address is not taken; undefined: it is. */
export function gitRemoteProblem(url: string, allowed: AllowedRemotes = []): string | undefined {
  if (url === '' || url.length > 2048) return 'A git address has 1 to 2,048 characters.';
  // Whitespace and control characters have no place in one, and a leading "-" is an option to git.
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (url.startsWith('-') || /[\s\u0000-\u001f\u007f\\]/.test(url)) return refused(url);
  if (allowed.some((beginning) => isBelow(url, beginning))) return undefined;
  if (/^(https|ssh):\/\/[^/]/i.test(url)) {
    if (!URL.canParse(url)) return refused(url);
    const parsed = new URL(url);
    if (parsed.hostname === '' || parsed.hostname.startsWith('-')) return refused(url);
    if (parsed.password !== '' || (parsed.protocol === 'https:' && parsed.username !== ''))
      return `The git address of ${parsed.host} holds a password: keep it as a named secret, since addresses are stored and shown.`;
    return parsed.username.startsWith('-') ? refused(url) : undefined;
  }
  return /^[A-Za-z0-9_][\w.+-]*@[A-Za-z0-9][\w.-]*:[^:].*$/.test(url) ? undefined : refused(url);
}

/** `http://host` allows that host and not `http://hostile`; a path must not climb out of what is allowed. */
function isBelow(url: string, beginning: string): boolean {
  if (beginning === '' || !url.startsWith(beginning) || /(^|\/)\.\.(\/|$)|%2e/i.test(url)) return false;
  const rest = url.slice(beginning.length);
  return beginning.endsWith('/') || beginning.endsWith(':') || rest === '' || /^[/:]/.test(rest);
}

/** Transports that git may use, its submodules included, under this policy. */
export const gitTransports = (allowed: AllowedRemotes = []): string[] => [
  ...new Set([
    'https',
    'ssh',
    ...allowed.map((one) => /^([a-z]+):\/\//.exec(one)?.[1]).filter((one) => one !== undefined),
  ]),
];

const shown = (url: string): string =>
  url
    .slice(0, 200)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    // A password is no matter for an error.
    .replace(/\/\/[^/@]*@/, '//…@');

export const isCommit = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/** A branch, tag or commit as git takes one; undefined: it is. */
export function gitRefProblem(ref: string): string | undefined {
  const isOdd =
    ref === '' ||
    ref.length > 256 ||
    /^[-/.]|[/.]$|\.lock$/.test(ref) ||
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|\/\/|@\{/.test(ref);
  return isOdd ? `"${shown(ref)}" is not a branch, a tag or a commit.` : undefined;
}

/** `https://host/team/flowers.git` → `flowers`: what a job is called that was given no name. */
export function nameOfRemote(url: string): string {
  const last = url.replace(/\/+$/, '').split(/[/:]/).at(-1) ?? '';
  return last
    .replace(/\.git$/, '')
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}
