import { createServer } from "node:http";
import { listenOnLoopback, type LoopbackServer } from "../loopback-server.ts";
import type { GeoDatabase } from "./database.ts";

/**
 * Serves a database to the Worker, which can't read files. `GET /ADDRESS` answers `{"latitude", "longitude", "source"}`, or 404 if the location is not known. On the loopback interface:
 * what it answers is in a file that anybody can download.
 */
export async function serveLocations({ locate, source }: GeoDatabase): Promise<LoopbackServer> {
  const server = createServer(({ url = "/" }, response) => {
    const place = locate(addressIn(url));
    response.writeHead(place === null ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(place === null ? { source } : { ...place, source }));
  });
  return listenOnLoopback(server);
}

function addressIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return "";
  }
}
