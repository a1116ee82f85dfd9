import type { Query, Fleet } from "./fleet.ts";

/** One way to rank a fleet. Peers are identified by their number in the fleet. */
export interface Subject {
  readonly name: string;
  /** Its description in the results. */
  readonly description: string;
  /** The queries that it can answer. One that ignores free slots, roles and capabilities answers only `any`. */
  readonly supports: readonly Query[];
  build(fleet: Fleet): Ranking;
}

export interface Ranking {
  /** Changes the score of a peer with a free slot. */
  update(peer: number, score: number): void;
  /** Returns the best eligible peer and removes it from the ranking, as if its last slot were filled. */
  takeBest(asked: Query): number;
  /** Adds a peer to the ranking again, as if a slot became free. */
  putBack(peer: number, score: number): void;
  /** The memory of the ranking in bytes, if it is known. */
  readonly bytes?: number;
}
