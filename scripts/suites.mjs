// The layers of tests: a folder each, what it needs to be there, and how patient it is. Read by vitest.config.ts and scripts/test.mjs.

/** @type {{ name: string, needs: ('postgres' | 'temporal' | 'python' | 'wandb' | 'docker')[], testTimeoutS: number, alone?: boolean }[]} */
export const suites = [
  { name: 'domain', needs: [], testTimeoutS: 120 },
  { name: 'docs', needs: [], testTimeoutS: 60 },
  { name: 'store', needs: ['postgres'], testTimeoutS: 120 },
  { name: 'workflow', needs: ['temporal'], testTimeoutS: 120 },
  { name: 'replay', needs: [], testTimeoutS: 120 },
  { name: 'api', needs: ['postgres'], testTimeoutS: 120 },
  { name: 'dispatch', needs: ['postgres', 'temporal'], testTimeoutS: 240 },
  { name: 'wandb', needs: ['postgres', 'wandb'], testTimeoutS: 240 },
  { name: 'targets', needs: ['python'], testTimeoutS: 240 },
  // One Engine for all of them; images are built in them, which takes both cores.
  { name: 'builders', needs: ['docker'], testTimeoutS: 600, alone: true },
  // Containers start by the second, and Engines are killed.
  { name: 'docker', needs: ['docker'], testTimeoutS: 600, alone: true },
  { name: 'agent', needs: ['postgres', 'temporal', 'python'], testTimeoutS: 240 },
  // Builds the image and brings up the compose file.
  { name: 'packaging', needs: ['docker'], testTimeoutS: 1500, alone: true },
  // These start whole stacks, so one file at a time: two would starve each other on two cores.
  { name: 'stack', needs: ['postgres', 'temporal'], testTimeoutS: 300, alone: true },
  { name: 'cli', needs: ['postgres', 'temporal', 'python'], testTimeoutS: 300, alone: true },
  { name: 'line', needs: ['postgres', 'temporal', 'python'], testTimeoutS: 300, alone: true },
  { name: 'faults', needs: ['postgres', 'temporal', 'python', 'wandb'], testTimeoutS: 600, alone: true },
];
