import type { PeerId } from "../protocol/ids.ts";

/** Who speaks: a message or notice of an older session than the newest changes nothing. */
export interface FromSession {
  readonly peerId: PeerId;
  readonly epoch: number;
}

export interface OfAttempt extends FromSession {
  readonly taskId: string;
  readonly fence: number;
}

/** `visibleTo`: the owner whose tasks the caller may see; null for everybody's. */
export interface OfTask {
  readonly id: string;
  readonly visibleTo: string | null;
}

export type Nothing = Readonly<Record<string, never>>;
