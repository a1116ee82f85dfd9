import { BUCKETS } from "../../src/scoring/score-buckets.ts";
import type { Subject } from "./subject.ts";

/** Fields of a row: next, previous, bucket, and one unused to make it a power of two. */
const ROW = 4;

/**
 * The floor: 1,024 buckets of peers with a free slot, by number, without IDs, roles or capabilities. Rows are interleaved
 * as in the index, because separate arrays for the fields of a peer would cause more cache misses.
 */
export const plainBuckets: Subject = {
  name: "plain_buckets",
  description: "the floor: 1,024 rings of peers by number; no IDs, roles, capabilities",
  supports: ["any"],
  build({ scores, room }) {
    const rows = new Uint32Array(scores.length * ROW);
    const heads = new Int32Array(BUCKETS).fill(-1);
    const filled = new Uint32Array(BUCKETS / 32);
    let groups = 0;

    function add(peer: number, score: number): void {
      const bucket = Math.min(BUCKETS - 1, Math.floor(score * BUCKETS));
      const head = heads[bucket] as number;
      const row = peer * ROW;
      rows[row + 2] = bucket;
      if (head === -1) {
        heads[bucket] = rows[row] = rows[row + 1] = peer;
        filled[bucket >> 5] = (filled[bucket >> 5] as number) | (1 << (bucket & 31));
        groups |= 1 << (bucket >> 5);
        return;
      }
      const tail = rows[head * ROW + 1] as number;
      rows[row] = head;
      rows[row + 1] = tail;
      rows[tail * ROW] = rows[head * ROW + 1] = peer;
    }

    function remove(peer: number): void {
      const row = peer * ROW;
      const next = rows[row] as number;
      const bucket = rows[row + 2] as number;
      if (next === peer) {
        heads[bucket] = -1;
        const left = (filled[bucket >> 5] as number) & ~(1 << (bucket & 31));
        filled[bucket >> 5] = left;
        if (left === 0) groups &= ~(1 << (bucket >> 5));
        return;
      }
      const prev = rows[row + 1] as number;
      rows[prev * ROW] = next;
      rows[next * ROW + 1] = prev;
      if (heads[bucket] === peer) heads[bucket] = next;
    }

    for (let peer = 0; peer < scores.length; peer++)
      if (room[peer] === 1) add(peer, scores[peer] as number);
    return {
      update(peer, score) {
        remove(peer);
        add(peer, score);
      },
      takeBest() {
        const group = 31 - Math.clz32(groups);
        const bucket = (group << 5) | (31 - Math.clz32(filled[group] as number));
        const best = heads[bucket] as number;
        remove(best);
        return best;
      },
      putBack: add,
      bytes: rows.byteLength + heads.byteLength + filled.byteLength,
    };
  },
};
