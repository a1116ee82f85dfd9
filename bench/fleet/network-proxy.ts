import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A connection and its continuation to the mesh. */
interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
}

const join = ({ client, upstream }: Link): void => void client.pipe(upstream).pipe(client);

/**
 * A TCP proxy between peers and mesh, which can reset connections. Its address stays the same while the mesh behind it
 * restarts on another port.
 */
export class NetworkProxy {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  #port = 0;
  #stalled = false;
  readonly #links = new Set<Link>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (client) => this.#forward(client));
  }

  static async start(): Promise<NetworkProxy> {
    const proxy = new NetworkProxy(createServer({ noDelay: true }));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the port to which new connections are forwarded. */
  setTarget(port: number): void {
    this.#port = port;
  }

  /** Holds everything back in both directions, on present and new connections, as a network partition does. */
  stall(): void {
    this.#stalled = true;
    for (const { client, upstream } of this.#links) {
      client.unpipe(upstream).pause();
      upstream.unpipe(client).pause();
    }
  }

  /** Delivers what was held back. */
  heal(): void {
    this.#stalled = false;
    for (const link of this.#links) join(link);
  }

  /** Resets a share of the connections on both sides, without a close frame. Returns their number. */
  resetSome(share: number, random: () => number): number {
    const chosen = [...this.#connections].filter(() => random() < share);
    for (const client of chosen) client.resetAndDestroy();
    return chosen.length;
  }

  close(): void {
    this.#server.close();
    for (const client of this.#connections) client.destroy();
  }

  #forward(client: Socket): void {
    const upstream = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#connections.add(client);
    const link = { client, upstream };
    this.#links.add(link);
    if (!this.#stalled) join(link);
    // When one side fails, the other is reset; a mesh that is down refuses the connection here.
    const disconnect = () => {
      this.#connections.delete(client);
      this.#links.delete(link);
      client.destroy();
      if (!upstream.destroyed) upstream.resetAndDestroy();
    };
    for (const side of [client, upstream]) side.on("error", disconnect).on("close", disconnect);
  }
}
