export const suites: readonly {
  name: string;
  needs: readonly ('postgres' | 'temporal' | 'python' | 'wandb' | 'docker')[];
  testTimeoutS: number;
  alone?: boolean;
}[];
