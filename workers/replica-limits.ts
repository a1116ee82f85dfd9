import type { Context, MiddlewareHandler } from "hono";
import { env } from "hono/adapter";
import { AddressLimiter } from "../src/access/address-limiter.ts";
import {
  clientAddress,
  readTrustedProxies,
  type TrustedProxies,
} from "../src/access/client-address.ts";
import { PREFLIGHTS_PER_MINUTE } from "../src/access/page-origins.ts";
import { readWholeNumber } from "../src/base/number-text.ts";
import type { Replica } from "../src/discovery/replica.ts";
import { DISCOVERY_READS_PER_MINUTE } from "../src/protocol/constants.ts";
import { problem } from "./problem.ts";
import { addressOf } from "./request-address.ts";

/** Variables of a replica. */
type LimitVariables = {
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly TRUSTED_PROXIES?: string;
  /** Reads of one address in a minute without a reader token that is right. */
  readonly DISCOVERY_READS_PER_MINUTE?: string;
};

interface ReplicaLimits {
  readonly trusted: TrustedProxies;
  readonly perMinute: number;
}

/** The limits that are configured. Throws if they are not valid. */
export function replicaLimits(variables: LimitVariables): ReplicaLimits {
  const trusted = readTrustedProxies(variables.TRUSTED_PROXIES ?? "");
  if (!trusted.ok) throw new Error(`TRUSTED_PROXIES ${trusted.error}`);
  const given = variables.DISCOVERY_READS_PER_MINUTE;
  const perMinute = given === undefined ? DISCOVERY_READS_PER_MINUTE : readWholeNumber(given);
  if (perMinute === null || perMinute < 1)
    throw new Error("DISCOVERY_READS_PER_MINUTE is not a whole number from 1 up");
  return { trusted: trusted.value, perMinute };
}

/** Limits the reads of an address. A request with a reader token of the mesh, which the replica can verify, is not counted. */
export function limitReads(
  open: (c: Context) => Promise<Replica>,
  tokenOf: (c: Context) => string,
): MiddlewareHandler {
  const limiter = new AddressLimiter();
  let limits: ReplicaLimits | null = null;
  return async (c, next) => {
    const isReader = await (await open(c)).isReader(tokenOf(c));
    limits ??= replicaLimits(env<LimitVariables>(c));
    const { trusted, perMinute } = limits;
    const wait = isReader
      ? 0
      : limiter.consume("discovery", replicaClient(c, trusted), perMinute, Date.now());
    if (wait === 0) return next();
    const detail = "too many reads from this address; wait for the time in Retry-After";
    return problem(c, { code: "rate_limited", detail, retryAfter: wait });
  };
}

/** Limits the preflights of an address. They do nothing but ask, so wrong limits, which the start reports, admit all. */
export function limitReplicaPreflights(): (c: Context) => number {
  const limiter = new AddressLimiter();
  return (c) => {
    const proxies = readTrustedProxies(env<LimitVariables>(c).TRUSTED_PROXIES ?? "");
    if (!proxies.ok) return 0;
    const address = replicaClient(c, proxies.value);
    return limiter.consume("preflights", address, PREFLIGHTS_PER_MINUTE, Date.now());
  };
}

/** How the runtimes report the socket: @hono/node-server, `deno serve`; a Worker has it in its request. */
interface SocketReport {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  readonly remoteAddr?: { readonly hostname?: string };
}

function replicaClient(c: Context, trusted: TrustedProxies): string {
  const { incoming, remoteAddr } = (c.env ?? {}) as SocketReport;
  const socket = incoming?.socket?.remoteAddress ?? remoteAddr?.hostname;
  if (socket === undefined) return addressOf(c.req.raw, trusted);
  return clientAddress(socket, c.req.header("X-Forwarded-For") ?? null, trusted);
}
