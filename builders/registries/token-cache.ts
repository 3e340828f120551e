import type { Login } from './login.js';

/** A token is asked for anew this long before its end: a push may take a while. */
const spareMs = 10 * 60_000;

interface Kept {
  login: Login;
  expiresAtMs: number;
}

/** Logins that end. Asked for once at a time, forgotten on failure. */
export class TokenCache {
  private readonly kept = new Map<string, Promise<Kept>>();

  async get(key: string, ask: () => Promise<Kept>): Promise<Login> {
    const known = await this.kept.get(key)?.catch(() => undefined);
    if (known && known.expiresAtMs - spareMs > Date.now()) return known.login;
    const asked = ask();
    this.kept.set(key, asked);
    try {
      return (await asked).login;
    } catch (error) {
      if (this.kept.get(key) === asked) this.kept.delete(key);
      throw error;
    }
  }
}
