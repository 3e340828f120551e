import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.mjs';
import { pythonWith } from './python.js';
import { until } from './until.js';

export const s3Credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** An S3-compatible server (moto) with one bucket. */
export async function startS3(bucket: string): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const python = await pythonWith('moto', ['moto[server]==5.2.5']);
  const port = await freePort();
  const server = spawn(join(dirname(python), 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  process.once('exit', () => server.kill('SIGKILL'));
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3Credentials,
    maxAttempts: 1,
  });
  await until(() => client.send(new CreateBucketCommand({ Bucket: bucket })), {
    what: 'the S3 server',
    ms: 60_000,
    everyMs: 200,
  });
  return {
    endpoint,
    async stop() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}
