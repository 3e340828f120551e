import { spawn } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onParentGone } from '../../../cli/stack/parent.js';

/** A child of ours: works until it is told to stop, or its supervisor is gone. Writes down that it works, and how it ended. */
const [folder = ''] = process.argv.slice(2);
const leave = (why: string) => {
  console.log(`leaving: ${why}`);
  appendFileSync(join(folder, 'child.ends'), `${process.pid} ${why}\n`);
  process.exit(0);
};
onParentGone(() => leave('supervisor gone'));
process.once('SIGTERM', () => leave('told to stop'));
appendFileSync(join(folder, 'child.works'), `${process.pid}\n`);
if (takeOrder('want-job')) {
  // As the process target does it: a session of its own, nothing shared with the agent.
  const job = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  job.unref();
  appendFileSync(join(folder, 'job.pid'), String(job.pid));
}
console.log('child works');
setInterval(() => console.log('still working'), 20);

function takeOrder(name: string): boolean {
  try {
    rmSync(join(folder, name));
    return true;
  } catch {
    return false;
  }
}
