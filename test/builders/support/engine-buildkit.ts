import { request } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * The BuildKit inside a Docker Engine as if it were a daemon: each connection becomes one of the Engine's own (`/grpc`). It speaks the same
 * protocol, and has no exporter that pushes.
 */
export async function engineAsBuildkit(socketPath: string): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.pause();
    const upgrade = request({
      socketPath,
      method: 'POST',
      path: '/grpc',
      headers: { Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': '0' },
    });
    upgrade.on('upgrade', (_answer, engine: Socket, head) => {
      sockets.add(engine);
      if (head.length > 0) socket.write(head);
      for (const [one, other] of [
        [socket, engine],
        [engine, socket],
      ] as const) {
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    upgrade.on('error', () => socket.destroy());
    upgrade.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
