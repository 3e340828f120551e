import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A connection in between that breaks after so many bytes of answer, each connection at its own number; later ones hold. */
export async function startCuttingProxy(
  port: number,
  options: { cutAfterBytes: number[] },
): Promise<{ url: string; close(): Promise<void> }> {
  const cuts = [...options.cutAfterBytes];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const limit = cuts.shift() ?? Infinity;
    let passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    }
    client.pipe(upstream);
    upstream.on('data', (piece: Buffer) => {
      const rest = limit - passed;
      passed += piece.length;
      client.write(piece.subarray(0, Math.min(piece.length, rest)));
      if (passed >= limit) {
        client.resetAndDestroy();
        upstream.destroy();
      }
    });
    upstream.on('end', () => client.end());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
