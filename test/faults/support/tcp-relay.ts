import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between somebody and a server and can be cut as a network is: no connection ends, and nothing arrives any more. */
export class TcpRelay {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  address = '';

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  static async to(address: string): Promise<TcpRelay> {
    const server = createServer();
    const relay = new TcpRelay(server, Number(address.split(':').at(-1)));
    server.on('connection', (socket) => relay.join(socket, connect(relay.port, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    relay.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return relay;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.pause();
  }
  mend(): void {
    this.isCut = false;
    for (const socket of this.sockets) socket.resume();
  }

  private join(one: Socket, other: Socket): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk) => to.write(chunk));
      from.once('close', () => {
        this.sockets.delete(from);
        // Across a cut network nobody hears of an end either.
        if (!this.isCut) to.destroy();
      });
      if (this.isCut) from.pause();
    }
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
