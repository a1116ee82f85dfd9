import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { err, ok, type Result } from "../../src/base/result.ts";
import { isCallableAddress, readIp } from "../../src/protocol/ip-address.ts";
import {
  isListedAddress,
  outboundHostOf,
  type OutboundAllow,
} from "../../src/protocol/outbound-allow.ts";

/** Which addresses are called besides public ones. */
export interface CheckedAddressRules {
  readonly allowLoopback: boolean;
  readonly allow: OutboundAllow;
}

/** Returns the addresses of a name; rejects when it has none. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (name) => lookup(name, { all: true });

/**
 * The addresses of a URL's host to which a connection may be made. The name is resolved once, and the connection is made to the
 * result: a name that has another address a moment later (DNS rebinding) leads nowhere else. Addresses that are not public are
 * left out, by the same rules as for an address in a URL, unless the operator allows the host of the URL.
 */
export async function checkedAddresses(
  url: URL,
  { allowLoopback, allow }: CheckedAddressRules,
  resolve: Resolve,
): Promise<Result<readonly LookupAddress[], "not_public" | "unreachable">> {
  const host = outboundHostOf(url);
  const found = await addressesOf(url.hostname, resolve);
  if (found.length === 0) return err("unreachable");
  const callable = found.filter(({ address }) => {
    const octets = readIp(address);
    if (octets === null) return false;
    return isCallableAddress(octets, allowLoopback) || isListedAddress(allow, host, octets);
  });
  return callable.length === 0 ? err("not_public") : ok(callable);
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  const address = host.replace(/^\[|\]$/g, "");
  const family = isIP(address);
  if (family !== 0) return [{ address, family }];
  try {
    return await resolve(host);
  } catch {
    return [];
  }
}
