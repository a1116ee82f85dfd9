import { RankIndex } from "../../src/scoring/rank-index.ts";
import { WANTED, type Fleet } from "./fleet.ts";
import type { Subject } from "./subject.ts";

/** Fills an index from a fleet; numbers and places agree, for both count from nothing. */
export function indexOf({ ids, traits, scores, room }: Fleet): RankIndex {
  const index = new RankIndex(1);
  for (const [peer, id] of ids.entries())
    index.put(
      id,
      traits[peer] as Fleet["traits"][0],
      room[peer] === 1 ? (scores[peer] as number) : null,
    );
  return index;
}

const queriesOf = (index: RankIndex) => ({
  any: index.query(WANTED.any),
  role: index.query(WANTED.role),
  rare: index.query(WANTED.rare),
});

export const rankIndex: Subject = {
  name: "rank_index",
  what: "Muster's index, peers by place; picks respect role, room and capabilities",
  knows: ["any", "role", "rare"],
  build(fleet) {
    const index = indexOf(fleet);
    const queries = queriesOf(index);
    return {
      update: (peer, score) => index.rankAt(peer, score),
      take(asked) {
        const best = index.first(queries[asked]);
        index.rankAt(best, null);
        return best;
      },
      giveBack: (peer, score) => index.rankAt(peer, score),
      bytes: index.bytes,
    };
  },
};

/** What naming adds: at a million peers, half of it is reading a string that lies anywhere in memory. */
export const rankIndexById: Subject = {
  name: "rank_index_by_id",
  what: "the same, each peer looked up by the 32 characters of its ID, each pick answered with them",
  knows: ["any", "role", "rare"],
  build(fleet) {
    const index = indexOf(fleet);
    const queries = queriesOf(index);
    const { ids } = fleet;
    return {
      update: (peer, score) => index.rank(ids[peer] as string, score),
      take(asked) {
        const best = index.first(queries[asked]);
        index.rank(index.idAt(best), null);
        return best;
      },
      giveBack: (peer, score) => index.rankAt(peer, score),
    };
  },
};
