import { err, ok, type Result } from "../base/result.ts";
import type { MusterError } from "../protocol/errors.ts";
import { PeerId } from "../protocol/ids.ts";
import { notFound, type Handler } from "./handler.ts";
import { peerView, taskSummary } from "./views.ts";

export const getPeer: Handler<"get_peer"> = ({ registry, now }, { id }) => {
  const peer = registry.peers.get(registry.aliases.resolve(id, now));
  return peer === null ? notFound("peer of this ID") : ok(peerView(peer));
};

export const listPeers: Handler<"list_peers"> = ({ registry }, { limit, cursor, state, role }) => {
  if (cursor !== undefined && !PeerId.safeParse(cursor).success) return badCursor();
  const peers = registry.peers.list({ limit: limit + 1, after: cursor, state, role });
  const page = peers.slice(0, limit);
  return ok({
    peers: page.map(peerView),
    next_cursor: peers.length > limit ? (page.at(-1)?.id ?? null) : null,
  });
};

/** A task's sequence number, written one way only and within what a number holds exactly. */
const SEQUENCE = /^[1-9][0-9]{0,14}$/;

export const listTasks: Handler<"list_tasks"> = (
  { registry },
  { limit, cursor, state, kind, visibleTo },
) => {
  if (cursor !== undefined && !SEQUENCE.test(cursor)) return badCursor();
  const before = cursor === undefined ? undefined : Number(cursor);
  const tasks = registry.tasks.list({ limit: limit + 1, before, state, kind, owner: visibleTo });
  const page = tasks.slice(0, limit);
  const last = page.at(-1);
  return ok({
    tasks: page.map(taskSummary),
    next_cursor: tasks.length > limit && last !== undefined ? String(last.seq) : null,
  });
};

export const badCursor = (): Result<never, MusterError> =>
  err({ code: "invalid_request", detail: "cursor: take it from the page before" });
