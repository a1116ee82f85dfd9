import { keyedRandom } from "../../bench/selection/keyed.ts";
import { DEVICES, FRAMES, type Traces } from "../../bench/selection/traces.ts";

/** Generated traces: round-trip times that differ by pair and time, and peers that are up for some minutes. */
export const TRACES: Traces = {
  rtts: Float32Array.from(
    { length: FRAMES * DEVICES * DEVICES },
    (_, i) => 5 + 200 * keyedRandom(7, i),
  ),
  systems: [
    {
      up: { shape: 0.5, scale: 20 * 60_000 },
      down: { shape: 0.5, scale: 5 * 60_000 },
    },
  ],
};
