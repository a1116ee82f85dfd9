import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { trackConnections } from "./open-connections.ts";

export interface LoopbackServer {
  readonly url: string;
  stop(): void;
}

/** Listens on a free port that only this machine reaches, and does not keep the process running. */
export async function listenOnLoopback(server: Server): Promise<LoopbackServer> {
  const destroyConnections = trackConnections(server);
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.close();
    destroyConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
