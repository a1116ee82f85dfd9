import type { PeerEvent } from "../client/index.ts";
import { plain } from "./output.ts";

type Sentences = {
  readonly [Type in PeerEvent["type"]]: (event: Extract<PeerEvent, { type: Type }>) => string;
};

const about = ({ taskId, kind }: { readonly taskId: string; readonly kind: string }): string =>
  `task ${taskId} ${kind}:`;

const SENTENCES: Sentences = {
  connecting: ({ url, failures }) =>
    `connecting to ${url}${failures === 0 ? "" : ` (try ${failures + 1})`}`,
  ready: ({ mesh, role, peerId }) => `joined ${mesh.name || "the mesh"} as ${role} ${peerId}`,
  rejected: ({ code, reason }) => `not let in: ${reason} (${code})`,
  rotated: ({ peerId }) => `has a new key, and is ${peerId} now`,
  disconnected: ({ code, reason, retryInMs }) =>
    `disconnected (${code}${reason === "" ? "" : `, ${reason}`}), again in ${retryInMs} ms`,
  sample: ({ pointers }) => `the mesh names ${pointers.length} pointers`,
  task_started: (event) => `${about(event)} started, try ${event.attempt}`,
  task_succeeded: (event) => `${about(event)} done`,
  task_failed: (event) => `${about(event)} failed${event.retry ? "" : " for good"}: ${event.error}`,
  task_cancelled: (event) => `${about(event)} cancelled: ${event.reason}`,
  task_refused: (event) => `${about(event)} refused: ${event.reason}`,
  mesh_error: ({ code, message }) => `the mesh says: ${message} (${code})`,
  frame_ignored: ({ reason }) => `ignored ${reason}`,
  closed: ({ error }) => (error === undefined ? "left the mesh" : `sent away: ${error.message}`),
};

/** What happened to a peer, in one line for people. */
export const eventLine = (event: PeerEvent): string =>
  plain((SENTENCES[event.type] as (event: PeerEvent) => string)(event));
