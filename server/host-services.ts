import { serveDisk } from "./disk/disk-service.ts";
import type { OutboundAllow } from "../src/protocol/outbound-allow.ts";
import type { GeoDatabase } from "./geoip/database.ts";
import { serveLocations } from "./geoip/location-service.ts";
import type { Resolve } from "./outbound/checked-addresses.ts";
import { startOutboundProxy } from "./outbound/outbound-proxy.ts";
import { LOCATIONS_HOST, PROXY_HOST } from "./workers/reserved-hosts.ts";

/** What the Worker cannot do itself, and its host does for it: connect to checked addresses, read a GeoIP database, and look at the disk. */
export interface HostServices {
  /** Their addresses on this machine, for workerd's configuration. */
  readonly proxy: string;
  readonly locations: string | null;
  readonly disk: string;
  /** Variables of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): void;
}

export interface HostServiceOptions {
  readonly geoDatabase?: GeoDatabase;
  /** What the disk of the mesh lacks; null if it has room. */
  readonly diskShortage: () => string | null;
  /** Resolves the names of the URLs that the mesh calls; default: the resolver of the system. */
  readonly resolve?: Resolve | undefined;
  /** Hosts that the mesh may call although they are not public. */
  readonly allow?: OutboundAllow | undefined;
}

/** Without a database nobody is located. Calls to URLs that somebody gave the mesh go through the outbound proxy. */
export async function startHostServices(options: HostServiceOptions): Promise<HostServices> {
  const { geoDatabase, resolve, allow, diskShortage } = options;
  const locations = geoDatabase === undefined ? null : await serveLocations(geoDatabase);
  const disk = await serveDisk(diskShortage);
  const proxy = await startOutboundProxy({ resolve, allow });
  return {
    proxy: new URL(proxy.url).host,
    locations: locations === null ? null : new URL(locations.url).host,
    disk: new URL(disk.url).host,
    variables: {
      LOCATION_SERVICE: locations === null ? "none" : `http://${LOCATIONS_HOST}`,
      OUTBOUND_PROXY: `http://${PROXY_HOST}`,
      OUTBOUND_PROXY_SECRET: proxy.secret,
    },
    stop: () => {
      proxy.stop();
      locations?.stop();
      disk.stop();
    },
  };
}
