import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Towards the server, or back from it. */
type Direction = 'up' | 'down';

/** Stands between somebody and a server and can be cut as a network is: no connection ends, and nothing arrives any more. */
export class TcpRelay {
  private readonly sockets = new Set<Socket>();
  private readonly widows = new Set<Socket>();
  private isCut = false;
  private watched: { towards: Direction; left: number; reached: () => void } | undefined;
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
  /** Every connection ends at once, as when the server behind is killed; new ones are joined. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }
  mend(): void {
    this.isCut = false;
    for (const socket of this.sockets) socket.resume();
    // Now they hear that the other end is gone.
    for (const socket of this.widows) socket.destroy();
    this.widows.clear();
  }

  /**
   * Calls when so many bytes have come, before the last of them is passed on: whatever is larger is in its middle then, however fast the
   * machine. The promise is done after the call.
   */
  after(bytes: number, towards: Direction, call: () => void): Promise<void> {
    return new Promise((resolve) => {
      const reached = () => {
        call();
        resolve();
      };
      this.watched = { towards, left: bytes, reached };
    });
  }

  private count(bytes: number, towards: Direction): void {
    const { watched } = this;
    if (watched?.towards !== towards) return;
    watched.left -= bytes;
    if (watched.left > 0) return;
    this.watched = undefined;
    watched.reached();
  }

  private join(one: Socket, other: Socket): void {
    for (const [from, to, towards] of [
      [one, other, 'up'],
      [other, one, 'down'],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk) => {
        this.count(chunk.length, towards);
        // Who sends faster than the other reads waits: gigabytes go through here.
        if (to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (!this.isCut) from.resume();
        });
      });
      from.once('close', () => {
        this.sockets.delete(from);
        // Across a cut network nobody hears of an end either.
        if (this.isCut) this.widows.add(to);
        else to.destroy();
      });
      if (this.isCut) from.pause();
    }
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
