export interface Cluster {
  port: number;
  pid: number;
  folder: string;
  /** Address of the maintenance database. */
  url: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}
export function startCluster(options: { folder: string; port?: number; durable?: boolean }): Promise<Cluster>;
