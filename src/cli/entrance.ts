import { startFront } from "./front.ts";
import { freePort } from "./ports.ts";
import { openGeoDatabase } from "./geoip/database.ts";
import { serveLocations } from "./geoip/location-service.ts";

/** How clients reach a local mesh, and what locates them. */
export interface Entrance {
  /** Where `wrangler dev` listens. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Variables of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): void;
}

/**
 * Clients connect to a front, so that nobody can claim the address of somebody else. Without a database nobody is located: the
 * location that `wrangler dev` reports is made up, and the same for everyone.
 */
export async function openEntrance(
  host: string,
  port: number,
  geoipDatabase: string | undefined,
): Promise<Entrance> {
  const locations =
    geoipDatabase === undefined ? null : await serveLocations(await openGeoDatabase(geoipDatabase));
  let meshPort = port;
  while (meshPort === port) meshPort = await freePort("127.0.0.1");
  const front = await startFront({ host, port, meshPort });
  const stop = (): void => {
    front.stop();
    locations?.stop();
  };
  const listen = { host: "127.0.0.1", port: meshPort };
  return { listen, variables: { LOCATION_SERVICE: locations?.url ?? "none" }, stop };
}
