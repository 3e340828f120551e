export interface Check {
  name: string;
  /** `note`: nothing is wrong, but worth knowing. */
  status: 'ok' | 'missing' | 'note';
  text: string;
  /** How to get what is missing. */
  fix?: string;
}

export const ok = (name: string, text: string): Check => ({ name, status: 'ok', text });
export const note = (name: string, text: string): Check => ({ name, status: 'note', text });
export const missing = (name: string, text: string, fix: string): Check => ({ name, status: 'missing', text, fix });
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
