import { SECOND } from "../base/clock.ts";
import {
  GO_P2P_KIND,
  GO_P2P_KINDS,
  type GoP2pRequest,
  type TaskOffer,
} from "../protocol/messages.ts";
import type { Move } from "./effects.ts";
import { wasHeardLately, probe, pingForSample, withLease } from "./liveness.ts";
import type { SessionContext } from "./context.ts";
import { compose, message, offerTask } from "./messages.ts";
import { command, stay } from "./moves.ts";
import { requestPayload } from "./request-payload.ts";
import type { Active } from "./state.ts";
import { holding, offered } from "./task-credit.ts";

/**
 * Offers a task to the peer: as `task_offer`, or to a plain go-p2p node as the request that the task's kind names. The node's
 * reply is the result. Such a node can't accept, so the offer counts as accepted once the request is sent.
 */
export function deliverOffer(session: Active, offer: TaskOffer, context: SessionContext): Move {
  if (!wasHeardLately(session, context)) return withholdOffer(session, context);
  const leased = withLease(session, context.now + offer.lease_seconds * SECOND);
  const [sampled, samplePing] = pingForSample(leased, context, SAMPLE_AGE);
  const { session: sent, intents } = sendOffer(sampled, offer, context);
  return stay(sent, ...intents, ...samplePing);
}

/** An offer is accompanied by a ping when the last RTT sample is at least this old. */
const SAMPLE_AGE = 60 * SECOND;

/** A peer that was not heard lately gets no offer: the task goes to another peer, and this one is pinged. */
function withholdOffer(session: Active, context: SessionContext): Move {
  const { session: probed, intents } = probe(session, context);
  return stay(probed, ...intents, { type: "offer_withheld" });
}

function sendOffer(session: Active, offer: TaskOffer, context: SessionContext): Move {
  const { claim, epoch } = session;
  if (claim.speaksMuster) {
    const credited = { ...session, credit: offered(session.credit, context.now) };
    return stay(credited, offerTask(context, session, offer));
  }
  const attempt = { peerId: claim.peerId, epoch, taskId: offer.task_id, fence: offer.fence };
  if (!GO_P2P_KINDS.includes(offer.kind)) {
    const reason = "the peer speaks plain go-p2p, which has no such task";
    return stay(session, command({ name: "refuse_task", input: { ...attempt, reason } }));
  }
  const type = offer.kind.slice(GO_P2P_KIND.length) as GoP2pRequest;
  const payload = requestPayload(session, type, offer.payload, context);
  const request = compose(context, claim.peerId, type, payload);
  const outstanding = { id: request.id, type, taskId: offer.task_id, fence: offer.fence };
  // The newest are kept: the mesh offers one at a time, so an older request without a reply has lost its lease.
  const requests = [...session.taskRequests, outstanding].slice(-REQUESTS_MAX);
  return stay(
    { ...session, taskRequests: requests },
    { type: "message", envelope: request },
    command({ name: "accept_task", input: { ...attempt, queued: false } }),
  );
}

const REQUESTS_MAX = 16;

/** Cancels the peer's attempt. A plain go-p2p node can't be informed; its reply will be ignored. */
export function cancelOffer(
  session: Active,
  taskId: string,
  fence: number,
  reason: string,
  context: SessionContext,
): Move {
  const { claim, credit } = session;
  if (claim.speaksMuster) {
    return stay(
      { ...session, credit: holding(credit, credit.attempts - 1, context.now) },
      message(context, session, "task_cancel", { task_id: taskId, fence, reason }),
    );
  }
  const requests = session.taskRequests.filter(
    (request) => request.taskId !== taskId || request.fence !== fence,
  );
  return stay({ ...session, taskRequests: requests });
}

/** Asks the peer for a task that waits there. A plain go-p2p node has none. */
export const askBack = (
  session: Active,
  { taskId, fence }: { readonly taskId: string; readonly fence: number },
  context: SessionContext,
): Move =>
  session.claim.speaksMuster
    ? stay(session, message(context, session, "task_return", { task_id: taskId, fence }))
    : stay(session);
