import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';

/** What a command prints in an image. */
export async function outputIn(engine: Docker, image: string, command: string[]): Promise<string> {
  const output = new PassThrough();
  let text = '';
  output.on('data', (data: Buffer) => (text += data.toString('utf8')));
  const [{ StatusCode }] = (await engine.run(image, command, output, {
    Tty: true,
    HostConfig: { AutoRemove: false },
  })) as [{ StatusCode: number }, Docker.Container];
  const printed = text.replaceAll('\r\n', '\n');
  if (StatusCode !== 0) throw new Error(`${command.join(' ')} ended with ${StatusCode}: ${printed}`);
  return printed;
}
