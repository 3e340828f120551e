/**
 * Keeps the one PostgreSQL of a test run: `node postgres-keeper.mjs FOLDER OWNER_PID`. Runs in a session of its own, so neither ctrl-C nor a
 * kill -9 of the test runner can end it before it has ended the cluster; it goes when the owner is gone.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster } from './postgres-cluster.mjs';

const [folder, owner] = process.argv.slice(2);
const alive = () => {
  try {
    process.kill(Number(owner), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
const publish = async (answer) => {
  await writeFile(join(folder, 'answer.tmp'), JSON.stringify(answer));
  await rename(join(folder, 'answer.tmp'), join(folder, 'answer.json'));
};

try {
  const cluster = await startCluster({ folder: join(folder, 'cluster') });
  await publish({ url: cluster.url, keeper: process.pid, postgres: cluster.pid });
  setInterval(() => {
    if (alive()) return;
    void cluster.remove().then(async () => {
      await rm(folder, { recursive: true, force: true });
      process.exit(0);
    });
  }, 500);
} catch (error) {
  await publish({ error: String(error?.message ?? error) });
  process.exit(1);
}
