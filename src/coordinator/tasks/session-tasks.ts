import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Peer } from "../../peers/peer.ts";
import { assignerScope } from "./assigner-scope.ts";
import { cancelTask } from "./attempts.ts";
import type { SessionInput } from "../../contract/inputs.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler, afterAssignment } from "../kernel/handler.ts";
import { peerOfSession } from "../admission/sessions.ts";
import { MOVING } from "../moves/forwarded.ts";
import { retryTask } from "./retry-task.ts";
import { shownTo } from "./task-view.ts";
import { acceptSubmission, visibleTask } from "./submit.ts";

/** A controller submits a task over its session, by the same rules as over HTTP. */
export const assignTask: Handler<"assign_task"> = (context, { task, key, trace, ...from }) => {
  const peer = assigner(context, from);
  if (!peer.ok) return peer;
  const { id: owner } = peer.value;
  if (task.callback !== undefined && task.callback.secret === undefined) {
    const detail =
      "callback.secret: a task that is submitted over a session must include its callback's secret";
    return err({ code: "invalid_request", detail });
  }
  const idempotency = key === null ? null : { scope: assignerScope(owner), key };
  const accepted = acceptSubmission(context, { task, source: "peer", owner, idempotency, trace });
  if (!accepted.ok) return accepted;
  if (context.registry.tasks.get(accepted.value.id) === null) return err(MOVING);
  return afterAssignment(() => shownTo(context, owner, accepted.value.id));
};

export const queryTask: Handler<"query_task"> = (context, { id, ...from }) => {
  const peer = assigner(context, from);
  if (!peer.ok) return peer;
  if (visibleTask(context, id, peer.value.id) === null) return notFound("task with this ID");
  return ok(shownTo(context, peer.value.id, id));
};

export const recallTask: Handler<"recall_task"> = (context, { id, ...from }) => {
  const peer = assigner(context, from);
  if (!peer.ok) return peer;
  const cancelled = cancelTask(context, { id, visibleTo: peer.value.id });
  return cancelled.ok ? ok(shownTo(context, peer.value.id, id)) : cancelled;
};

export const retryOwnTask: Handler<"retry_own_task"> = (
  context,
  { id, peerId, epoch, ...options },
) => {
  const peer = assigner(context, { peerId, epoch });
  if (!peer.ok) return peer;
  const retried = retryTask(context, { id, visibleTo: peerId, ...options });
  return retried.ok ? afterAssignment(() => shownTo(context, peerId, id)) : retried;
};

/** The peer, if this is its newest session and its allowlist entry lets it submit tasks now (AD2). */
function assigner(context: Context, { peerId, epoch }: SessionInput): Result<Peer, MusterError> {
  const peer = peerOfSession(context, peerId, epoch);
  if (peer?.mayAssign === true) return ok(peer);
  const detail =
    peer === null
      ? "a newer session of this peer began"
      : "this peer's allowlist entry does not let it submit tasks; it needs the role controller or dual";
  return err({ code: "forbidden", detail });
}
