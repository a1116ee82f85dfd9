import type { Subject } from "./subject.ts";

/** go-p2p's weights of ping, hops, distance, score (its node/peer.go). */
const WEIGHTS = [1, 0.7, 0.2, 1.2] as const;

interface Metrics {
  readonly id: string;
  ping: number;
  readonly hops: number;
  readonly km: number;
  score: number;
}

/**
 * go-p2p's registry in TypeScript: every change of a metric rebuilds the index of all peers (it copies each point and
 * enters its ID into a map, as Poindexter's `NewKDTree` does). A pick scans all points for the nearest to the ideal, as
 * the default backend does. It ignores slots, roles and capabilities, so a peer that was picked can be picked again.
 */
export const goP2p: Subject = {
  name: "go_p2p",
  description:
    "go-p2p's algorithm in TypeScript: a KD-tree index of all peers, offline and full ones included, rebuilt on each change",
  supports: ["any"],
  build({ ids, scores }) {
    const peers = ids.map((id, n): Metrics => {
      const score = scores[n] as number;
      return { id, ping: 200 * (1 - score), hops: 1, km: 10 * n, score: 100 * score };
    });
    let points: { readonly id: string; readonly coords: readonly number[] }[] = [];
    let numbers = new Map<string, number>();
    const rebuild = () => {
      points = [];
      numbers = new Map();
      for (const [n, { id, ping, hops, km, score }] of peers.entries()) {
        points.push({
          id,
          coords: [
            ping * WEIGHTS[0],
            hops * WEIGHTS[1],
            km * WEIGHTS[2],
            (100 - score) * WEIGHTS[3],
          ],
        });
        numbers.set(id, n);
      }
    };
    rebuild();
    const update = (peer: number, score: number) => {
      (peers[peer] as Metrics).score = 100 * score;
      rebuild();
    };
    return {
      update,
      takeBest() {
        let best = "";
        let nearest = Number.POSITIVE_INFINITY;
        for (const { id, coords } of points) {
          let sum = 0;
          for (const coord of coords) sum += coord * coord;
          if (Math.sqrt(sum) >= nearest) continue;
          nearest = Math.sqrt(sum);
          best = id;
        }
        return numbers.get(best) as number;
      },
      putBack() {},
    };
  },
};
