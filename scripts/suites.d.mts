export const suites: readonly {
  name: string;
  needs: readonly ('postgres' | 'temporal' | 'python' | 'wandb')[];
  testTimeoutS: number;
  alone?: boolean;
}[];
