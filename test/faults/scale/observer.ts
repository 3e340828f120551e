import pg from 'pg';

/** More than fail by kills at their beginning. */
const enough = 60;

/** Looks into the store while the run goes: how far it is, and (by its own notices) when the end of a launch has just been written. */
export class Observer {
  private constructor(private readonly client: pg.Client) {}

  static async connect(databaseUrl: string): Promise<Observer> {
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('listen davit');
    return new Observer(client);
  }

  async rows<Row>(statement: string): Promise<Row[]> {
    return (await this.client.query(statement)).rows as Row[];
  }

  /** Calls back for launches whose end has just been written, while `wanted` says so. */
  onRecorded(wanted: () => boolean, then: (launchId: string) => void): void {
    this.client.on('notification', ({ payload = '' }) => {
      const [, launchId] = /^launch ([a-z0-9]+)$/.exec(payload) ?? [];
      if (launchId === undefined || !wanted()) return;
      void this.rows(
        `select 1 from launch where id = '${launchId}' and state in ('finished', 'failed', 'stopped')
          and ended_at > clock_timestamp() - interval '200 milliseconds'`,
      ).then(
        (rows) => {
          if (rows.length > 0 && wanted()) then(launchId);
        },
        // The run is over, and so is this connection.
        () => undefined,
      );
    });
  }

  /** Throws when none of many succeeded: kills meet nothing then. */
  async ended(): Promise<number> {
    const [row] = await this.rows<{ n: number; finished: number; why: string | null }>(
      `select count(*)::int as n, count(*) filter (where state = 'finished')::int as finished, max(failure ->> 'message') as why
       from launch where state in ('finished', 'failed', 'stopped')`,
    );
    const { n = 0, finished = 0, why = null } = row ?? {};
    if (n >= enough && finished === 0) throw new Error(`all of the first ${n} launches failed, one with: ${why}`);
    return n;
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
