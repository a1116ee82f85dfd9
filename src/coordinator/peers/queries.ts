import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { PeerId } from "../../protocol/ids.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { peerOf, scoreOf, sessionOf } from "./peers.ts";
import { hearsayView, peerView, taskSummary } from "../kernel/views.ts";

export const getPeer: Handler<"get_peer"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer !== null) return ok(peerView(peer, scoreOf(context, peer)));
  const told = context.registry.advertisedPeers.of(id);
  return told === null ? notFound("peer of this ID") : ok(hearsayView(told));
};

export const requestPeer: Handler<"request_peer"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer of this ID");
  const to = sessionOf(peer);
  return to === null
    ? err({ code: "peer_unavailable", detail: "the peer is not connected just now" })
    : ok(to);
};

export const listPeers: Handler<"list_peers"> = (context, { limit, cursor, state, role }) => {
  const { registry } = context;
  if (cursor !== undefined && !PeerId.safeParse(cursor).success) return badCursor();
  const filter = { limit: limit + 1, after: cursor, role };
  const met = registry.peers
    .list({ ...filter, state })
    .map((peer) => peerView(peer, scoreOf(context, peer)));
  const told =
    state === undefined || state === "discovered"
      ? registry.advertisedPeers.list(filter).map(hearsayView)
      : [];
  const peers = [...met, ...told].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const page = peers.slice(0, limit);
  return ok({
    peers: page,
    next_cursor: peers.length > limit ? (page.at(-1)?.id ?? null) : null,
  });
};

export const listTasks: Handler<"list_tasks"> = (
  { registry },
  { limit, cursor, state, kind, source, peer_id: peerId, created_after, created_before, visibleTo },
) => {
  const before = readSequence(cursor);
  if (!before.ok) return before;
  const tasks = registry.tasks.list({
    limit: limit + 1,
    before: before.value,
    state,
    kind,
    source,
    peerId,
    createdAfter: created_after === undefined ? undefined : Date.parse(created_after),
    createdBefore: created_before === undefined ? undefined : Date.parse(created_before),
    owner: visibleTo,
  });
  const page = tasks.slice(0, limit);
  const last = page.at(-1);
  return ok({
    tasks: page.map(taskSummary),
    next_cursor: tasks.length > limit && last !== undefined ? String(last.seq) : null,
  });
};

/** Where a list by sequence number goes on: written one way only, and within what a number holds exactly. */
export function readSequence(cursor: string | undefined): Result<number | undefined, MusterError> {
  if (cursor === undefined) return ok(undefined);
  return /^[1-9][0-9]{0,14}$/.test(cursor) ? ok(Number(cursor)) : badCursor();
}

export const badCursor = (): Result<never, MusterError> =>
  err({ code: "invalid_request", detail: "cursor: take it from the page before" });
