import type { PeerEvent } from "../client/index.ts";
import { CLOSE } from "../protocol/errors.ts";
import { codeOfEnd, moreAbout } from "./read-more.ts";

type EventLines = {
  readonly [Type in PeerEvent["type"]]: (event: Extract<PeerEvent, { type: Type }>) => string;
};

const taskPrefix = ({ taskId, kind }: { readonly taskId: string; readonly kind: string }): string =>
  `task ${taskId} ${kind}:`;

const LINES: EventLines = {
  connecting: ({ url, failures }) =>
    `connecting to ${url}${failures === 0 ? "" : ` (attempt ${failures + 1})`}`,
  ready: ({ mesh, role, peerId }) => `joined ${mesh.name || "the mesh"} as ${role} ${peerId}`,
  rejected: ({ code, reason }) => `rejected: ${reason} (${code})${moreAbout(code)}`,
  rotated: ({ peerId }) => `rotated its key; the new peer ID is ${peerId}`,
  disconnected: ({ code, reason, retryInMs, failure }) =>
    failure !== undefined
      ? `${failure.message}; trying again in ${retryInMs} ms${moreAbout(failure.code)}`
      : `${code === CLOSE.draining ? "the mesh restarts" : "disconnected"} (${code}${reason === "" ? "" : `, ${reason}`}), reconnecting in ${retryInMs} ms${moreAbout(codeOfEnd(code, reason))}`,
  key_in_use: ({ reason, retryInMs }) =>
    `another process uses this key; give each process a key of its own: ${reason}; trying again in ${retryInMs} ms`,
  draining: ({ by, reason, timeoutMs }) =>
    `draining for at most ${timeoutMs / 1_000} s${by === "mesh" ? ` by order of the mesh: ${reason}` : ""}`,
  route_measured: ({ hops, tool }) => `measured ${hops} hops to the mesh by ${tool}`,
  sample: ({ pointers }) => `received ${pointers.length} pointers from the mesh`,
  task_started: (event) => `${taskPrefix(event)} started, attempt ${event.attempt}`,
  task_succeeded: (event) => `${taskPrefix(event)} succeeded`,
  task_failed: (event) =>
    `${taskPrefix(event)} failed${event.retry ? "" : " and will not be retried"}: ${event.error}`,
  task_cancelled: (event) => `${taskPrefix(event)} cancelled: ${event.reason}`,
  handler_unsettled: (event) =>
    `${taskPrefix(event)} its handler has not stopped and occupies a slot (${event.unsettled} such handlers)`,
  loop_blocked: ({ blockedMs }) =>
    `the event loop was blocked for ${blockedMs} ms; no lease was renewed meanwhile`,
  task_refused: (event) => `${taskPrefix(event)} refused: ${event.reason}`,
  mesh_error: ({ code, message }) => `error from the mesh: ${message} (${code})`,
  frame_ignored: ({ reason }) => `ignored ${reason}`,
  closed: ({ error }) =>
    error === undefined
      ? "left the mesh"
      : `disconnected for good: ${error.message}${moreAbout(error.code)}`,
};

/** One line of text for an event of a peer. */
export const eventLine = (event: PeerEvent): string =>
  (LINES[event.type] as (event: PeerEvent) => string)(event);
