import { toHex, type Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import { eventReaderOf, type EventRules } from "./event-rules.ts";
import type { SignedMaterial } from "./identity.ts";
import type { SignatureClaim } from "./scheme.ts";
import type { EventReader } from "./selection/event-reader.ts";
import type { SelectedValues } from "./selection/json-selector.ts";
import type { NewHash, StreamedHash } from "../base/streamed-hash.ts";
import { StreamedHmac } from "./streamed-hmac.ts";
import { checkClaim } from "./verify.ts";

/** A delivery whose signature is valid. */
export interface VerifiedDelivery {
  readonly signed: SignedMaterial;
  /** What the rules need of the event; an error if the body contains none. */
  readonly event: Result<SelectedValues, string>;
}

/**
 * Reads the body of a delivery in parts: computes its MACs and its hash, and selects what the rules need of its event. It never
 * holds the whole body. Nothing that it has read is to be seen before `finish` has verified the signature.
 */
export class DeliveryReader {
  readonly #claim: SignatureClaim;
  readonly #macs: readonly StreamedHmac[];
  readonly #hash: StreamedHash;
  readonly #event: EventReader;
  #begun = false;

  constructor(rules: EventRules, claim: SignatureClaim, keys: readonly Bytes[], newHash: NewHash) {
    this.#claim = claim;
    this.#macs = keys.map((key) => new StreamedHmac(key, newHash));
    this.#hash = newHash();
    this.#event = eventReaderOf(rules);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#begin();
    await Promise.all([this.#hash.update(bytes), ...this.#macs.map((mac) => mac.update(bytes))]);
    this.#event.write(bytes);
  }

  /** What was read, if the signature is valid. */
  async finish(now: Millis): Promise<Result<VerifiedDelivery, ApiError>> {
    await this.#begin();
    const macs = await Promise.all(this.#macs.map((mac) => mac.digest()));
    const bodyHash = toHex(await this.#hash.digest());
    const checked = checkClaim(this.#claim, macs, now);
    if (!checked.ok) return checked;
    return ok({ signed: { id: this.#claim.id, bodyHash }, event: this.#event.finish() });
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await Promise.all(this.#macs.map((mac) => mac.update(this.#claim.signedPrefix)));
  }
}
