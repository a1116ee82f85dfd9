import { SECOND, type Millis } from "../base/clock.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { RefusalPlace } from "./peer-families.ts";

/** One isolate reports at most this often: less than the 30 s after which the platform ends what a request has left behind. */
const REPORT_INTERVAL: Millis = 20 * SECOND;
/** Whoever reports may take so long; then another request does, because the platform has ended the first. */
const CLAIM: Millis = 60 * SECOND;

type Place = Extract<RefusalPlace, "gateway" | "handshake">;

/** How often something was refused, by place and error code. There are at most as many entries as codes, twice. */
export type RefusalCounts = readonly (readonly [place: Place, reason: ErrorCode, count: number])[];

/**
 * What one isolate has refused before it knew the caller, and has not reported yet. A flood of strangers causes one report in each
 * interval, whatever its size. Whoever counts a refusal asks with `claim` whether it has to report.
 */
export class RefusalCounter {
  #counts = new Map<`${Place} ${ErrorCode}`, number>();
  #nextAt: Millis = 0;
  #claimedUntil: Millis = 0;

  add(place: Place, reason: ErrorCode, by = 1): void {
    const key = `${place} ${reason}` as const;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  /** The time after which the caller must report; null if there is nothing to report, or somebody else does it. */
  claim(now: Millis): Millis | null {
    if (this.#counts.size === 0 || now < this.#claimedUntil) return null;
    // The clock may have been set back.
    const wait = Math.min(Math.max(0, this.#nextAt - now), REPORT_INTERVAL);
    this.#claimedUntil = now + wait + CLAIM;
    return wait;
  }

  /** Reports what was counted. Only the caller that has claimed it does so. A report that does not arrive is repeated with the next one. */
  async report(
    now: Millis,
    send: (counts: RefusalCounts) => Promise<{ readonly ok: boolean }>,
  ): Promise<void> {
    const counts = this.#take(now);
    const sent = await send(counts);
    if (!sent.ok) for (const [place, reason, count] of counts) this.add(place, reason, count);
    this.#claimedUntil = 0;
  }

  #take(now: Millis): RefusalCounts {
    const counts = Array.from(this.#counts, ([key, count]) => {
      const [place, reason] = key.split(" ") as [Place, ErrorCode];
      return [place, reason, count] as const;
    });
    this.#counts = new Map();
    this.#nextAt = now + REPORT_INTERVAL;
    return counts;
  }
}
