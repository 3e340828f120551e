// Clients that enqueue, in a process of their own, each on a connection that is kept alive and with one request under way at a time.
import { join } from 'node:path';
import { root } from '../../scripts/support.mjs';
import { Child } from './child.mjs';

export class Load {
  constructor(stack) {
    this.child = new Child([join(root, 'bench', 'lib', 'load-process.mjs')], {
      name: 'clients',
      env: { BENCH_URL: stack.url, BENCH_KEY: stack.key },
    });
  }

  /** Enqueues `count` launches; `batch`: so many with each request. */
  async enqueue({ body, count, clients, batch = 0 }) {
    const answer = this.child.message('done');
    this.child.process.send({ kind: 'enqueue', body, count, clients, batch });
    return answer;
  }

  stop() {
    return this.child.stop();
  }
}
