import { startFront } from "./front.ts";
import { isLoopbackHost } from "./listen-address.ts";
import { pageOriginsOf } from "./page-origin.ts";
import { freePort } from "./ports.ts";
import type { Resolve } from "./outbound/checked-addresses.ts";
import { startOutboundProxy } from "./outbound/outbound-proxy.ts";
import type { GeoDatabase } from "./geoip/database.ts";
import { serveLocations } from "./geoip/location-service.ts";

/** How clients reach a local mesh, what locates them, and how the mesh reaches others. */
export interface Entrance {
  /** Where `wrangler dev` listens. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Variables of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that other users of the machine must not see. */
  readonly secretVariables: Readonly<Record<string, string>>;
  stop(): void;
}

export interface EntranceOptions {
  readonly geoDatabase?: GeoDatabase | undefined;
  /** Resolves the names of the URLs that the mesh calls; default: the resolver of the system. */
  readonly resolve?: Resolve | undefined;
  /** Variables of the mesh that the operator has set. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/**
 * Clients connect to a front, so that nobody can claim the address of somebody else. Without a database nobody is located: the
 * location that `wrangler dev` reports is made up, and the same for everyone. `wrangler dev` connects to private addresses, too:
 * calls to URLs that somebody gave the mesh go through a proxy that does not.
 */
export async function openEntrance(
  host: string,
  port: number,
  { geoDatabase, resolve, variables: chosen = {} }: EntranceOptions,
): Promise<Entrance> {
  const pages = pageOriginsOf(chosen["CORS_ORIGINS"]);
  const locations = geoDatabase === undefined ? null : await serveLocations(geoDatabase);
  let meshPort = port;
  while (meshPort === port) meshPort = await freePort("127.0.0.1");
  // A mesh that only this machine reaches is open: a page of any site could make the browser join it. Behind a proxy others reach it, too.
  const isGuarded = isLoopbackHost(host) && chosen["TRUSTED_PROXIES"] === undefined;
  const front = await startFront({ host, port, meshPort, pages: isGuarded ? pages : null });
  const proxy = await startOutboundProxy({ resolve });
  const stop = (): void => {
    front.stop();
    proxy.stop();
    locations?.stop();
  };
  const listen = { host: "127.0.0.1", port: meshPort };
  const variables = { LOCATION_SERVICE: locations?.url ?? "none" };
  const secretVariables = { OUTBOUND_PROXY: proxy.url, OUTBOUND_PROXY_SECRET: proxy.secret };
  return { listen, variables, secretVariables, stop };
}
