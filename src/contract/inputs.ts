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
}

export type Empty = Readonly<Record<string, never>>;
