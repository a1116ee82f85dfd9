import type { ListPlace } from "../cells/list-place.ts";
import type { PeerId } from "../protocol/ids.ts";

/** The session that sends a command. A command of a session older than the peer's newest changes nothing. */
export interface SessionInput {
  readonly peerId: PeerId;
  readonly epoch: number;
}

/** The attempt that a session's command is about. */
export interface AttemptInput extends SessionInput {
  readonly taskId: string;
  readonly fence: number;
}

/** A task, as a caller of the HTTP API names it. */
export interface TaskInput {
  readonly id: string;
  /** The owner whose tasks the caller may see; null when the caller may see every task. */
  readonly visibleTo: string | null;
}

/** One page of a list. */
export interface PageInput {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /**
   * Set by a route that merges the lists of several cells, never by a caller: the page is in the order of places and begins behind this
   * one. Together with a cursor, which a mesh of one cell has given, it begins where that one says.
   */
  readonly after?: ListPlace | undefined;
}

/** What the page of one cell says to the route that merges it. */
export interface PageOutput extends MissingCells {
  readonly next_cursor: string | null;
  /** The place of each item. */
  readonly places?: readonly ListPlace[];
  /** The place behind which the page begins. */
  readonly begins?: ListPlace;
}

/** In the answer of a route that asks several cells: those that do not answer. Absent if all do. */
export interface MissingCells {
  readonly missing_cells?: number[] | undefined;
}

export type Empty = Readonly<Record<string, never>>;
