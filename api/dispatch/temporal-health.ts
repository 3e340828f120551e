/** Whether Temporal answers this process: what tells people why nothing is handed out. */
export function temporalHealth() {
  let away: { since: Date; message: string } | undefined;
  return {
    /** Present while the last try failed; `since` is when the first one in a row did. */
    away: () => away,
    /** For a call to Temporal and nothing else. */
    async watch<T>(work: () => Promise<T>): Promise<T> {
      const begunAt = new Date();
      try {
        const result = await work();
        away = undefined;
        return result;
      } catch (error) {
        away = { since: away?.since ?? begunAt, message: error instanceof Error ? error.message : String(error) };
        throw error;
      }
    },
  };
}
export type TemporalHealth = ReturnType<typeof temporalHealth>;
