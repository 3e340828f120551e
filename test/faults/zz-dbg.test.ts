import { test } from 'vitest';
import { readFileSync } from 'node:fs';
import { Stack } from '../support/stack.js';
test('dbg', async () => {
  const stack = await Stack.start();
  console.log(stack.up.events().filter((e) => e.kind === 'up'), readFileSync(stack.home + '/run/ports.json', 'utf8'), (stack as any).environment);
  for (let i = 0; i < 3; i++) await stack.inTemporal(async (c) => console.log((await c.workflowService.getSystemInfo({})).serverVersion)).catch((e) => console.log(String(e)));
  await stack.stop();
});
