import { startFront } from "../front.ts";
import { freePort } from "../ports.ts";
import { openGeoDatabase } from "./database.ts";
import { serveLocations } from "./location-service.ts";

/** How clients reach a local mesh, and what locates them. */
export interface Entrance {
  /** Where `wrangler dev` listens. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Variables of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): void;
}

/**
 * Without a database `wrangler dev` listens itself, and nobody is located: the location that it reports is made up, and the same
 * for everyone. With one, clients connect to a front, so that nobody can claim the address of another place.
 */
export async function openEntrance(
  host: string,
  port: number,
  geoipDatabase: string | undefined,
): Promise<Entrance> {
  if (geoipDatabase === undefined)
    return { listen: { host, port }, variables: { LOCATION_SERVICE: "none" }, stop: () => {} };
  const locations = await serveLocations(await openGeoDatabase(geoipDatabase));
  const listen = { host: "127.0.0.1", port: await freePort("127.0.0.1") };
  const front = await startFront({ host, port, meshPort: listen.port });
  const stop = (): void => {
    front.stop();
    locations.stop();
  };
  return { listen, variables: { LOCATION_SERVICE: locations.url }, stop };
}
