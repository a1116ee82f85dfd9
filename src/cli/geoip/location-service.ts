import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { GeoDatabase } from "./database.ts";

/** Serves a database to the Worker, which can't read files. */
export interface LocationService {
  readonly url: string;
  stop(): void;
}

/**
 * `GET /ADDRESS` answers `{"latitude", "longitude", "source"}`, or 404 if the location is not known. On the loopback interface:
 * what it answers is in a file that anybody can download.
 */
export async function serveLocations({ locate, source }: GeoDatabase): Promise<LocationService> {
  const server = createServer(({ url = "/" }, response) => {
    const place = locate(addressIn(url));
    response.writeHead(place === null ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(place === null ? { source } : { ...place, source }));
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

function addressIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return "";
  }
}
