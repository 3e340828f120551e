import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobEnvironment } from '../../domain/job-environment.js';
import { readContent } from '../../store/content.js';
import { Keyring, newKeyLine } from '../../store/keyring.js';
import { issueKey } from '../../store/keys.js';
import { giveSecrets } from '../../store/launch-secrets.js';
import { listRunFiles } from '../../store/run-files.js';
import { readConsole } from '../../store/run-lines.js';
import { getRunOfLaunch } from '../../store/runs.js';
import { putSecret } from '../../store/secrets.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, oldestWandb, runWandbScript } from '../support/wandb-clients.js';

const keyring = Keyring.parse(newKeyLine(new Date()));
const value = `planted "${randomUUID()}" ä`;

let api: TrackingApi;
let crew: LineFixture;
beforeAll(async () => {
  api = await startTrackingApi({ keyring });
  crew = await lineFixture(api.db, 'crew');
  await putSecret(api.db, keyring, { entityId: crew.entityId, name: 'token', value, actor: 'ada' });
}, 120_000);
afterAll(() => api.close());

const script = `
import os, sys, wandb
run = wandb.init()
print("the token is", os.environ["TOKEN"], "and more")
print(os.environ["TOKEN"], file=sys.stderr)
run.log({"length": len(os.environ["TOKEN"].encode())})
run.finish()
`;

describe.each([oldestWandb, newestWandb])('wandb %s', (version) => {
  test('shows stars in the console of its run for what its launch was given', { timeout: 900_000 }, async () => {
    const queueId = await crew.queue(`gpu-${version}`);
    await api.db
      .updateTable('queue')
      .set({ secrets: ['token'] })
      .where('id', '=', queueId)
      .execute();
    const launchId = await crew.enqueue(`gpu-${version}`, { overrides: { secrets: { TOKEN: 'token' } } });
    const launch = await api.db.selectFrom('launch').selectAll().where('id', '=', launchId).executeTakeFirstOrThrow();
    const { key } = await issueKey(api.db, { kind: 'run', userId: api.userId, entityId: crew.entityId, launchId });
    const given = await giveSecrets(api.db, keyring, { launch, agent: 'one' }, ['token']);
    const { request: resolved } = launch;
    const environment = jobEnvironment({ launchId, attempt: 1, resolved, overrides: undefined, apiUrl: api.url });
    const result = await runWandbScript(
      version,
      script,
      { url: api.url, key },
      { ...environment, TOKEN: given['token'] ?? '' },
    );
    expect(result, result.output).toMatchObject({ code: 0 });

    const run = await getRunOfLaunch(api.db, launchId);
    expect(run?.summary).toMatchObject({ length: Buffer.byteLength(value) });
    const row = await api.db.selectFrom('run').select('id').where('launch_id', '=', launchId).executeTakeFirstOrThrow();
    const console = (await readConsole(api.db, row.id, { last: 1_000 })).map((line) => line.text).join('\n');
    // Lines come as JSON, where a quoted mark takes two bytes.
    expect(console).toMatch(/the token is \*+ and more/);
    expect(console).not.toContain(value);
    for (const file of await listRunFiles(api.db, row.id)) {
      const text = (await readContent(api.blobs, file.blobKey)).toString();
      expect(text.includes(value), file.name).toBe(false);
      if (file.name === 'output.log') expect(text).toContain(`${'*'.repeat(Buffer.byteLength(value))} and more`);
    }
  });
});
