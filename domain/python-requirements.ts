/** Python requirements as text: what counts, and what went wrong with them. Pure. */

/** Without comments, blank lines and line continuations: texts that mean the same give the same lines. Order stays. */
export function normaliseRequirements(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .trim()
        .replace(/\s+/g, ' '),
    )
    .filter((line) => line !== '');
}

/** True when a line points into the job's own folder: such an environment belongs to this job alone. */
export function pointsIntoCode(lines: readonly string[]): boolean {
  return lines.some(
    (line) =>
      /^(-e|--editable|-r|--requirement|-c|--constraint)([ =]|$)/.test(line) ||
      /^\.{0,2}\//.test(line) ||
      /^\.(\[|$)/.test(line) ||
      /(^|@ ?)file:/.test(line) ||
      /^(-f|--find-links)[ =](?!https?:)/.test(line) ||
      /^[^ ;@]+\.(whl|tar\.gz|zip)$/.test(line),
  );
}

/** What pip and uv print when they cannot reach an index, whatever they blame in the end. */
const unreachable =
  /NewConnectionError|NameResolutionError|Temporary failure in name resolution|Failed to establish a new connection|ConnectTimeoutError|ReadTimeoutError|error sending request|dns error|ProxyError|CERTIFICATE_VERIFY_FAILED/i;
export const indexWasUnreachable = (output: string): boolean => unreachable.test(output);

const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The line of an installer's output that says why it failed, fit for a sentence. */
export function decisiveLine(output: string): string {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.replace(colour, '').trimEnd())
    .filter((line) => line.trim() !== '');
  const last = (pattern: RegExp): string | undefined => lines.findLast((line) => pattern.test(line));
  const line =
    last(
      /No matching distribution found for|ResolutionImpossible|Invalid requirement|Could not open requirements file/,
    ) ??
    reasonOfUv(lines) ??
    last(/^\s*ERROR:/) ??
    last(/^\s*error:/i) ??
    lines.at(-1) ??
    'the installer ended without a word';
  return withoutCredentials(line.trim().replace(/^(ERROR|error):\s*/, ''))
    .replace(/\.?\b[\w./-]*davit-requirements-[0-9a-f]+\.txt/g, 'requirements.txt')
    .replace(/[.:\s]+$/, '')
    .slice(0, 300);
}

/** uv draws its reasons as a tree (`╰─▶`), whose branch may run over several lines, or, since 0.13, names `cause:` by `cause:`. */
function reasonOfUv(lines: readonly string[]): string | undefined {
  const branch = lines.findLastIndex((line) => line.includes('╰─▶'));
  if (branch >= 0) {
    const parts = [lines[branch]?.replace(/.*╰─▶\s*/, '') ?? ''];
    for (const line of lines.slice(branch + 1)) {
      if (!/^\s{4,}\S/.test(line)) break;
      parts.push(line.trim());
    }
    return parts.join(' ');
  }
  const error = lines.findLastIndex((line) => line.startsWith('error:'));
  const cause = /^\s+cause:\s*(.*)/.exec(lines[error + 1] ?? '')?.[1];
  if (error < 0 || cause === undefined) return undefined;
  return /^error: No solution found/.test(lines[error] ?? '') ? cause : `${lines[error]}: ${cause}`;
}

export const withoutCredentials = (text: string): string => text.replace(/\/\/[^/\s@]+@/g, '//***@');
