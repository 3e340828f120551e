// The other side of load.mjs.
import { apiClient } from './http.mjs';
import { distribution } from './numbers.mjs';

const { BENCH_URL: url, BENCH_KEY: key } = process.env;

async function enqueue({ body, count, clients, batch }) {
  const api = apiClient({ url, key, connections: clients });
  const latenciesMs = [];
  let next = 0;
  const step = batch || 1;
  const client = async () => {
    while (next < count) {
      next += step;
      const sentAt = performance.now();
      if (batch === 0) await api.post('/launches', body);
      else {
        const { results } = await api.post('/launches/batch', { launches: Array.from({ length: batch }, () => body) });
        const refused = results.find((result) => result.error);
        if (refused) throw new Error(JSON.stringify(refused.error));
      }
      latenciesMs.push(performance.now() - sentAt);
    }
  };
  const cpuBefore = process.cpuUsage();
  const begunAt = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - begunAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  api.close();
  return {
    count: next,
    seconds,
    perSecond: next / seconds,
    latencyMs: distribution(latenciesMs),
    clientCpuMs: (user + system) / 1000,
  };
}

process.on('message', (message) => {
  enqueue(message).then(
    (result) => process.send({ kind: 'done', ...result }),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
