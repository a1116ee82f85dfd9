/** What the address on which a local mesh listens means for its URL and for who may join. */
import type { AuthMode } from "../protocol/http.ts";
import { isLoopbackHost, readIpv4, readIpv6 } from "../protocol/ip-address.ts";

export { isLoopbackHost };

/** Whether only this machine reaches a mesh that listens on `host`: behind a proxy with a public URL others do, too. */
export const isOnlyLocal = (host: string, publicUrl: string | null): boolean =>
  isLoopbackHost(host) &&
  (publicUrl === null || isLoopbackHost(new URL(publicUrl).hostname.replace(/^\[|\]$/g, "")));

/**
 * The mode in which `muster start` runs a mesh on this address, unless a setting or HTTP has set one: on other machines there may be strangers, and
 * a mesh that was an allowlist when it last ran, as under `muster serve`, does not open by itself.
 */
export const startingAuthMode = (
  host: string,
  publicUrl: string | null = null,
  lastMode: AuthMode | null = null,
): AuthMode => (isOnlyLocal(host, publicUrl) && lastMode !== "allowlist" ? "open" : "allowlist");

interface InterfaceAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

/**
 * The host of the mesh's URL, from which join links are made. `0.0.0.0` and `::` stand for all addresses of this machine, and lead
 * nowhere on another one: the first IPv4 address that others may reach takes their place, or 127.0.0.1 if there is none.
 */
export function reachableHost(host: string, addresses: readonly InterfaceAddress[]): string {
  const octets = readIpv4(host) ?? readIpv6(host);
  const isEveryAddress = octets?.every((octet) => octet === 0) === true;
  if (!isEveryAddress) return host.includes(":") ? `[${host}]` : host;
  const outward = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  return outward?.address ?? "127.0.0.1";
}
