/** Each byte of a secret becomes a star, so that places in the text stay what they were. Short ones are left: half of all text would be stars. */
export function masked(onLog: (text: string) => void, secrets: readonly string[]): (text: string) => void {
  const worth = secrets.flatMap((secret) => [secret, ...passwordsIn(secret)]).filter((secret) => secret.length >= 4);
  return (text) => onLog(maskedText(text, worth));
}

function maskedText(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const secret of secrets) {
    if (result.includes(secret)) result = result.replaceAll(secret, '*'.repeat(Buffer.byteLength(secret)));
  }
  return result;
}

/** An index address is printed with and without its login. */
const passwordsIn = (secret: string): string[] =>
  [...secret.matchAll(/\/\/[^/\s:@]*:([^/\s@]+)@/g)].flatMap(([, password]) =>
    password === undefined ? [] : [password],
  );
