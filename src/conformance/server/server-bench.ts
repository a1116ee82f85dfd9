import type { Check } from "../check.ts";
import type { FrameLog } from "../session/frame-log.ts";
import type { FrameSocket } from "../session/frame-socket.ts";
import type { RandomBytes } from "../../base/clock.ts";

/** What a holder of a token does at the mesh. */
export interface Operator {
  /** Lets a key join, where the mesh has an allowlist. */
  allow(publicKey: string): Promise<void>;
  /** Submits a task for this peer alone; returns its ID. */
  submit(peerId: string, kind: string, payload: unknown): Promise<string>;
  cancel(taskId: string): Promise<void>;
  task(taskId: string): Promise<{ readonly state: string; readonly result: unknown }>;
}

/** What one check of a mesh has. */
export interface ServerBench {
  /** The base URL of the mesh, ending in a slash. */
  readonly url: string;
  readonly random: RandomBytes;
  readonly log: FrameLog;
  /** Null without a token. */
  readonly operator: Operator | null;
  /** Opens a WebSocket; null when the mesh refuses it. */
  open(url: string, subprotocol: string): Promise<FrameSocket | null>;
}

/** A check of a mesh. */
export interface ServerCheck extends Omit<Check, "run"> {
  readonly run: (bench: ServerBench) => Promise<void>;
}

type Given = Partial<Pick<ServerCheck, "level" | "subset" | "seconds">> & Pick<ServerCheck, "run">;

export const serverCheck = (
  id: string,
  section: string,
  statement: string,
  given: Given,
): ServerCheck => ({
  id,
  section,
  statement,
  level: "must",
  subset: "core",
  seconds: 1,
  ...given,
});
