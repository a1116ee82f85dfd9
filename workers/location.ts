import { z } from "zod";
import { SECOND } from "../src/base/clock.ts";
import { placeOf, type Place } from "../src/base/place.ts";
import type { LocationSource } from "../durable/config-variables.ts";

/** Where a socket comes from. What is not known is empty or null. */
export interface Located {
  readonly place: Place | null;
  /** Who located it, if not the platform. */
  readonly source: string;
  readonly network: string;
  readonly colo: string;
}

const NOWHERE: Located = { place: null, source: "", network: "", colo: "" };

/** A peer must not wait for its location. */
const LOOKUP_TIMEOUT = SECOND;

const Answer = z.object({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  source: z.string().min(1).max(100),
});

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
/** What the platform reports about the connection. */
export type PlatformReport = Partial<
  Pick<IncomingRequestCfProperties, "latitude" | "longitude" | "asn" | "colo">
>;

/**
 * Locates the address of a socket by the source that is configured: what the platform reports, a service that answers by
 * address, or nothing. A service that does not answer leaves the location unknown.
 */
export async function locate(
  source: LocationSource,
  address: string,
  platform: PlatformReport,
  fetch: Fetch,
): Promise<Located> {
  switch (source.by) {
    case "platform":
      return fromPlatform(platform);
    case "nothing":
      return NOWHERE;
    case "service":
      return address === "" ? NOWHERE : fromService(source.url, address, fetch);
    default:
      return source satisfies never;
  }
}

const fromPlatform = ({ latitude, longitude, asn, colo }: PlatformReport): Located => ({
  place: placeOf(latitude ?? null, longitude ?? null),
  source: "",
  network: asn === undefined ? "" : `AS${asn}`,
  colo: colo ?? "",
});

async function fromService(url: string, address: string, fetch: Fetch): Promise<Located> {
  try {
    const signal = AbortSignal.timeout(LOOKUP_TIMEOUT);
    const response = await fetch(`${url}/${encodeURIComponent(address)}`, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      return NOWHERE;
    }
    const { latitude, longitude, source } = Answer.parse(await response.json());
    return { ...NOWHERE, place: { latitude, longitude }, source };
  } catch {
    return NOWHERE;
  }
}
