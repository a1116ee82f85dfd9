import { AddressLimiter } from "../src/access/address-limiter.ts";
import { BoundedBuckets } from "../src/base/bounded-buckets.ts";
import { ExpiringSet } from "../src/base/expiring-set.ts";
import { MINUTE } from "../src/base/clock.ts";
import { PAYLOAD_READS_PER_MINUTE } from "../src/protocol/constants.ts";
import { RefusalCounter } from "../src/metrics/refusal-counts.ts";
import { RefusalReports } from "../src/webhooks/index.ts";
import { KnownSources } from "./known-sources.ts";
import { Readiness } from "./readiness.ts";
import { LargeDeliveries } from "./large-deliveries.ts";

/** Credentials that are remembered, 64 characters each. */
const CREDENTIALS_MAX = 1_000;

/** Attempts whose reads of their payloads are counted. */
const PAYLOAD_READERS_MAX = 10_000;
const PAYLOAD_READS = {
  tokens: PAYLOAD_READS_PER_MINUTE,
  per: MINUTE,
  max: PAYLOAD_READS_PER_MINUTE,
};

/**
 * What one isolate of the gateway remembers between requests, so that callers who prove nothing cause no call of an object.
 * Nothing depends on it: an isolate that remembers nothing answers the same.
 */
export class GatewayMemory {
  readonly limiter = new AddressLimiter();
  readonly sources = new KnownSources();
  readonly readiness = new Readiness();
  readonly largeDeliveries = new LargeDeliveries();
  /** Refused deliveries that the coordinator has not been told about yet. */
  readonly refusals = new RefusalReports();
  /** Requests that were refused before their callers were known, and not reported yet. */
  readonly refusalCounts = new RefusalCounter();
  /** Hashes of API tokens that the mesh made and no longer accepts. A revoked token never becomes valid again. */
  readonly refusedTokens = new ExpiringSet(CREDENTIALS_MAX, MINUTE);
  /** Hashes of tokens that could read discovery. They are asked about again at every read, and consume no budget meanwhile. */
  readonly readers = new ExpiringSet(CREDENTIALS_MAX, 10 * MINUTE);
  /** How often each attempt has read its payload, by its ticket. */
  readonly payloadReads = new BoundedBuckets(PAYLOAD_READS, PAYLOAD_READERS_MAX);
}
