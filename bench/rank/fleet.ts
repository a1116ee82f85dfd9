import { EVERY_KIND, GO_P2P_KINDS } from "../../src/protocol/messages.ts";
import type { Random } from "../../src/base/clock.ts";
import type { Traits, TraitFilter } from "../../src/scoring/peer-classes.ts";

/** A generated fleet: the n-th entry of each list belongs to peer n. */
export interface Fleet {
  readonly ids: readonly string[];
  readonly traits: readonly Traits[];
  readonly scores: Float64Array;
  /** 1 for a peer with a free slot. */
  readonly room: Uint8Array;
}

/** The capability that one peer in 1,000 has. */
export const RARE = "tpu";
const ALL_KINDS = [EVERY_KIND];
const RARE_SHARE = 1 / 1_000;
const ROOM_SHARE = 0.75;
const FRESH_SHARE = 0.1;
const DUAL_SHARE = 0.1;
const GO_P2P_SHARE = 0.1;
const ARCHITECTURES = ["arch=amd64", "arch=arm64"];
const REGIONS = ["region:eu", "region:us", "region:asia"];

/** What a pick may require: any peer, a peer with one role, a peer with the rare capability. */
export const QUERIES = ["any", "role", "rare"] as const;
export type Query = (typeof QUERIES)[number];
export const QUERY_FILTERS: { readonly [A in Query]: TraitFilter } = {
  any: ({ kinds }) => kinds.includes(EVERY_KIND),
  role: ({ kinds, role }) => kinds.includes(EVERY_KIND) && role === "dual",
  rare: ({ kinds, capabilities }) => kinds.includes(EVERY_KIND) && capabilities.includes(RARE),
};

export function makeFleet(size: number, random: Random): Fleet {
  const words = new Uint32Array(4);
  const newId = () => Buffer.from(words.map(() => random() * 2 ** 32).buffer).toString("hex");
  const among = (of: readonly string[]) => of[Math.floor(random() * of.length)] as string;
  const ids: string[] = [];
  const traits: Traits[] = [];
  for (let n = 0; n < size; n++) {
    ids.push(newId());
    // The first peer always has the rare capability, so that every fleet has one.
    const rare = n === 0 || random() < RARE_SHARE;
    traits.push({
      role: random() < DUAL_SHARE ? "dual" : "worker",
      active: true,
      works: true,
      cordoned: false,
      kinds: rare || random() >= GO_P2P_SHARE ? ALL_KINDS : GO_P2P_KINDS,
      capabilities: [among(ARCHITECTURES), among(REGIONS), ...(rare ? [RARE] : [])],
      free: true,
      fresh: random() < FRESH_SHARE,
    });
  }
  const room = Uint8Array.from({ length: size }, (_, n) =>
    Number(n === 0 || random() < ROOM_SHARE),
  );
  return { ids, traits, scores: Float64Array.from({ length: size }, random), room };
}
