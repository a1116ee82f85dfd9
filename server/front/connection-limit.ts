import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import {
  clientAddress,
  isTrustedProxy,
  readAddress,
  type TrustedProxies,
} from "../../src/access/client-address.ts";
import { ClientConnections } from "./client-connections.ts";

export interface ConnectionLimitOptions {
  /** What one address may have open. */
  readonly max: number;
  /** Proxies whose connections are those of many clients. */
  readonly trusted: TrustedProxies;
  /** Called with the address of a client that is refused. */
  readonly onRefused: (address: string) => void;
}

/**
 * Limits what one client has open. Of a client that connects by itself its connections count, from the first packet on: also those that never
 * finish a TLS handshake or a request. Behind a trusted proxy its requests and WebSockets that are under way count.
 */
export class ConnectionLimit {
  readonly #options: ConnectionLimitOptions;
  readonly #clients: ClientConnections;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
    this.#clients = new ClientConnections(options.max);
  }

  /** Drops connections over the limit before the server, which would begin a TLS handshake, sees them. */
  guard(server: Server): void {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      if (this.#admits(socket)) for (const listener of listeners) listener.call(server, socket);
      else socket.on("error", () => {}).destroy();
    });
  }

  #admits(socket: Socket): boolean {
    const address = socket.remoteAddress;
    // The client has closed it already.
    if (address === undefined) return false;
    if (isTrustedProxy(address, this.#options.trusted)) return true;
    const release = this.#open(address);
    if (release === null) return false;
    socket.once("close", release);
    return true;
  }

  /** Counts a request that came by a trusted proxy. Returns what ends that; null if its client has too many. */
  openRequest({ socket, headers }: IncomingMessage): (() => void) | null {
    const { trusted } = this.#options;
    const connection = socket.remoteAddress ?? "";
    if (!isTrustedProxy(connection, trusted)) return () => {};
    const forwarded = headers["x-forwarded-for"];
    const address = clientAddress(connection, forwarded?.toString() ?? null, trusted);
    // The proxy asks for itself, or does not say for whom.
    return isTrustedProxy(address, trusted) ? () => {} : this.#open(address);
  }

  #open(address: string): (() => void) | null {
    const release = this.#clients.open(address);
    if (release === null) this.#options.onRefused(readAddress(address) ?? "unknown");
    return release;
  }
}
