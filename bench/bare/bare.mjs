// Runs the bare workflow against the Temporal server of a stack: its control worker and its agent, a process each.
import { bundleWorkflowCode } from '@temporalio/worker';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/support.mjs';
import { Child } from '../lib/child.mjs';
import { cpuMsOf } from '../lib/machine.mjs';

const silent = Object.fromEntries(
  ['log', 'trace', 'debug', 'info', 'warn', 'error'].map((name) => [name, () => undefined]),
);

export class Bare {
  static async start(stack) {
    const bare = new Bare();
    const workflowsPath = join(root, 'bench', 'bare', 'workflow.ts');
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: silent });
    const bundle = join(stack.home, 'bare-bundle.js');
    writeFileSync(bundle, code);
    const env = { BENCH_TEMPORAL: stack.facts.temporalAddress, BENCH_QUEUE: 'bench-bare', BENCH_BUNDLE: bundle };
    bare.agent = new Child([join(root, 'bench', 'bare', 'agent.mjs')], { env });
    bare.control = new Child([join(root, 'bench', 'bare', 'control.mjs')], { env });
    await Promise.all([bare.agent.message('ready'), bare.control.message('ready')]);
    // A slot is free when supervise has ended; in the product the next ticket says so.
    bare.agent.process.on('message', (message) => message?.kind === 'free' && bare.control.process.send(message));
    return bare;
  }

  rounds = 0;

  /** `count` workflows, `slots` at a time: how many end in a second, counted from the first start. */
  async round({ count, slots }) {
    const answer = this.control.message('done');
    this.control.process.send({ kind: 'round', prefix: `bare${this.rounds++}x`, count, slots });
    return answer;
  }

  /** CPU time so far of everything a bare workflow needs. */
  cpuMs(stack) {
    return { temporal: stack.cpuMs().temporal, control: cpuMsOf(this.control.pid), agent: cpuMsOf(this.agent.pid) };
  }

  async stop() {
    await Promise.all([this.agent.stop(), this.control.stop()]);
  }
}
