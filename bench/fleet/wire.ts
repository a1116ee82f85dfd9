import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * The network between peers and mesh: passes bytes on, and breaks connections when told to. Its own address stays while the
 * mesh at its end goes and comes back elsewhere.
 */
export class Wire {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  #port = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (near) => this.#carry(near));
  }

  static async lay(): Promise<Wire> {
    const wire = new Wire(createServer({ noDelay: true }));
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where connections that begin from now on lead to. */
  leadTo(port: number): void {
    this.#port = port;
  }

  /** Breaks a share of the connections: both sides get a reset, no goodbye. Returns how many. */
  cut(share: number, random: () => number): number {
    const chosen = [...this.#connections].filter(() => random() < share);
    for (const near of chosen) near.resetAndDestroy();
    return chosen.length;
  }

  close(): void {
    this.#server.close();
    for (const near of this.#connections) near.destroy();
  }

  #carry(near: Socket): void {
    const far = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#connections.add(near);
    near.pipe(far).pipe(near);
    // Whichever side breaks takes the other along; a mesh that is gone refuses here.
    const part = () => {
      this.#connections.delete(near);
      near.destroy();
      if (!far.destroyed) far.resetAndDestroy();
    };
    for (const side of [near, far]) side.on("error", part).on("close", part);
  }
}
