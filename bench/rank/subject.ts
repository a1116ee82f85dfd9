import type { Asked, Fleet } from "./fleet.ts";

/** A way to keep a fleet ranked. Peers go by their number in the fleet. */
export interface Subject {
  readonly name: string;
  /** What the figures say about it. */
  readonly what: string;
  /** Whether it knows who has room, of which role, with which capability; one that does not answers `any` alone. */
  readonly knows: readonly Asked[];
  build(fleet: Fleet): Ranking;
}

export interface Ranking {
  /** A measurement has changed the score of a peer with room. */
  update(peer: number, score: number): void;
  /** The best peer that will do, whose last slot is taken with it: it has no room from now on. */
  take(asked: Asked): number;
  /** The peer has room again. */
  giveBack(peer: number, score: number): void;
  /** Bytes that it holds a peer, where it can say. */
  readonly bytes?: number;
}
