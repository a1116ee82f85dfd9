import { toRfc3339, type Millis } from "../base/clock.ts";
import type { PairRttView } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import { pairRtt, type Observed } from "./pair-rtt.ts";
import type { Coordinate } from "./vivaldi.ts";

/** The round trip between two peers, as it is shown. */
export function pairRttView(
  [id, other]: readonly [PeerId, PeerId],
  coordinates: readonly [Coordinate | null, Coordinate | null],
  ways: readonly (Observed | null)[],
  now: Millis,
): PairRttView {
  const { rttMs, errorMs, basis, observed: seen } = pairRtt(coordinates, ways, now);
  return {
    peer_id: id,
    other_id: other,
    rtt_ms: rttMs,
    error_ms: errorMs,
    basis,
    observed: seen !== null,
    observed_ms: seen?.rttMs ?? null,
    observed_at: seen === null ? null : toRfc3339(seen.at),
  };
}
