/** `8g`, `512m`, `1.5GiB`, `1073741824`, as `docker run` reads them: powers of 1024, whole bytes. Undefined: it is none of them. */
export function bytesOf(text: string | number): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(String(text).trim());
  if (!match) return undefined;
  const power = 'bkmgt'.indexOf((match[2] === '' ? 'b' : (match[2] ?? 'b')).toLowerCase());
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** In the largest unit that keeps it short: `8 GiB`, `1.5 GiB`, `300 MiB`. */
export function bytesInWords(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit] ?? ''}`;
}
