// npm run bench [-- <part> …] [--quick] [--strict]: figures of the real thing on this machine (docs/benchmarks.md).
import { installPackages, needNode } from './support.mjs';

needNode();
installPackages();
const { build } = await import('./build.mjs');
try {
  await build();
} catch (error) {
  console.error(`build failed: ${error.message}`);
  process.exit(1);
}
const { main } = await import('../bench/main.mjs');
process.exit(await main(process.argv.slice(2)));
