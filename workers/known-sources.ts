import { MINUTE, SECOND, type Millis } from "../src/base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../src/base/token-bucket.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { WebhookSource } from "../src/registry/webhook-sources.ts";
import type { GatewayPort } from "../durable/coordinator-port.ts";

/** What senders that have proved nothing may cause: 20 reads at once, then two a second. */
const REFRESHES: TokenRate = { tokens: 2, per: SECOND, max: 20 };
/** Until the answer to the first read is here, a burst of deliveries may ask for the same: 500 at once, then 50 a second. */
const FIRST_READS: TokenRate = { tokens: 50, per: SECOND, max: 500 };
/** After this time the sources are read again in any case. */
const MAX_AGE: Millis = MINUTE;
/** Seconds. */
const RETRY_AFTER = 1;

type Versions = ReadonlyMap<string, string>;

/**
 * The webhook sources as this isolate last read them, so that a delivery is verified before any object is called. A
 * delivery that does not verify, or whose source is unknown, has them read again: a source that was created or changed is
 * found at once. However many such deliveries arrive, from however many addresses, they cause at most `REFRESHES`: during a
 * flood a change takes effect half a second later.
 */
export class KnownSources {
  /** The version of every source of the mesh; null before they were read. There are at most `WEBHOOK_SOURCES_MAX`. */
  #versions: Versions | null = null;
  #readAt: Millis = 0;
  /** Sources that were opened, with their secrets sealed. */
  readonly #opened = new Map<string, WebhookSource>();
  readonly #refreshes = new Budget(REFRESHES);
  readonly #firstReads = new Budget(FIRST_READS);

  /** The source as it was last read; null if there is none. `again`: reads it now, if the budget allows that. */
  async find(
    coordinator: GatewayPort,
    name: string,
    again: boolean,
  ): Promise<Result<WebhookSource | null, MusterError>> {
    const now = Date.now();
    const isUnknown = this.#versions?.has(name) !== true;
    if (again || isUnknown || now >= this.#readAt + MAX_AGE) {
      const read = await this.#refresh(coordinator, now);
      if (!read.ok) return read;
    }
    const version = this.#versions?.get(name);
    if (version === undefined) return ok(null);
    const known = this.#opened.get(name);
    if (known !== undefined && versionOf(known) === version) return ok(known);
    return this.#firstReads.take(now) ? this.open(coordinator, name) : BUSY;
  }

  /** Reads the source from the coordinator; for a caller that has proved something. */
  async open(
    coordinator: GatewayPort,
    name: string,
  ): Promise<Result<WebhookSource | null, MusterError>> {
    const source = await coordinator.call("open_webhook_source", { name });
    if (source.ok) {
      this.#opened.set(name, source.value);
      this.#versions = new Map(this.#versions).set(name, versionOf(source.value));
      return source;
    }
    if (source.error.code !== "not_found") return source;
    this.#opened.delete(name);
    return ok(null);
  }

  /** The ID of the source with this name, as it was last read; null if there is none. */
  idOf(name: string): string | null {
    const version = this.#versions?.get(name);
    if (version !== undefined) return version.slice(0, version.lastIndexOf(" "));
    return this.#versions === null ? (this.#opened.get(name)?.id ?? null) : null;
  }

  /** The next delivery reads the sources again: one of them was changed through this isolate. */
  forget(): void {
    this.#versions = null;
  }

  /**
   * Reads the versions again if the budget allows that, else leaves them as they are. Requests do not share a read: the
   * platform ends it with the request that began it.
   */
  async #refresh(coordinator: GatewayPort, now: Millis): Promise<Result<void, MusterError>> {
    if (this.#versions === null && !this.#firstReads.take(now)) return BUSY;
    if (this.#versions !== null && !this.#refreshes.take(now)) return ok(undefined);
    const read = await coordinator.call("webhook_source_versions", {});
    if (!read.ok) return read;
    this.#versions = new Map(read.value.sources.map((each) => [each.name, versionOf(each)]));
    this.#readAt = Date.now();
    for (const name of this.#opened.keys())
      if (!this.#versions.has(name)) this.#opened.delete(name);
    return ok(undefined);
  }
}

class Budget {
  readonly #rate: TokenRate;
  #bucket: TokenBucket;

  constructor(rate: TokenRate) {
    this.#rate = rate;
    this.#bucket = { tokens: rate.max, at: 0 };
  }

  /** Takes one token, if there is one. */
  take(now: Millis): boolean {
    const bucket = takeToken(this.#bucket, this.#rate, now);
    if (bucket !== null) this.#bucket = bucket;
    return bucket !== null;
  }
}

const BUSY = err<MusterError>({
  code: "unavailable",
  detail: "the webhook sources are not read yet; send the delivery again",
  retryAfter: RETRY_AFTER,
});

/** A source that is removed and created again is another one, also if the count of revisions was restored from a backup. */
const versionOf = ({ id, revision }: Pick<WebhookSource, "id" | "revision">): string =>
  `${id} ${revision}`;
