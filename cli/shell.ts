/** Lines for `eval`: every value in single quotes, in which a shell finds nothing to expand. */
export function exportLines(variables: Record<string, string>, shell: 'sh' | 'fish'): string {
  return Object.entries(variables)
    .map(([name, value]) =>
      shell === 'fish' ? `set -gx ${name} ${quoteFish(value)}` : `export ${name}=${quoteSh(value)}`,
    )
    .join('\n');
}

/** A single quote cannot stand within single quotes: the quoting ends, an escaped one follows, it begins again. */
export const quoteSh = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
const quoteFish = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
