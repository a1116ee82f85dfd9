import { QUERY_FILTERS, type Query, type Fleet } from "./fleet.ts";
import type { Ranking, Subject } from "./subject.ts";

/** Plain arrays: an update is one write, and a pick does all the work. */
function overArrays(
  { traits, scores, room }: Fleet,
  pick: (fit: (peer: number) => boolean, own: Float64Array) => number,
): Ranking {
  const own = scores.slice();
  const free = room.slice();
  const fits = (asked: Query) => (peer: number) =>
    free[peer] === 1 && QUERY_FILTERS[asked](traits[peer] as Fleet["traits"][0]);
  return {
    update(peer, score) {
      own[peer] = score;
    },
    takeBest(asked) {
      const best = pick(fits(asked), own);
      free[best] = 0;
      return best;
    },
    putBack(peer, score) {
      own[peer] = score;
      free[peer] = 1;
    },
  };
}

export const linearScan: Subject = {
  name: "linear_scan",
  description: "arrays; a pick scans every peer",
  supports: ["any", "role", "rare"],
  build: (fleet) =>
    overArrays(fleet, (fit, own) => {
      let best = -1;
      for (let peer = 0; peer < own.length; peer++)
        if ((best === -1 || (own[peer] as number) > (own[best] as number)) && fit(peer))
          best = peer;
      return best;
    }),
};

export const sortOnQuery: Subject = {
  name: "sort_on_query",
  description: "arrays; a pick sorts the eligible peers, as go-p2p's GetPeersByScore does",
  supports: ["any", "role", "rare"],
  build: (fleet) =>
    overArrays(fleet, (fit, own) => {
      const fitting: number[] = [];
      for (let peer = 0; peer < own.length; peer++) if (fit(peer)) fitting.push(peer);
      fitting.sort((a, b) => (own[b] as number) - (own[a] as number));
      return fitting[0] ?? -1;
    }),
};
