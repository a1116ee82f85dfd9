import { SECOND } from "../base/clock.ts";
import { GO_P2P_KIND, type GoP2pRequest, type TaskOffer } from "../protocol/messages.ts";
import { isGoP2pRequest } from "../tasks/eligibility.ts";
import type { Move } from "./effects.ts";
import { wasHeardLately, probe, pingForSample, withLease } from "./liveness.ts";
import type { SessionContext } from "./context.ts";
import { compose, message } from "./messages.ts";
import { command, stay } from "./moves.ts";
import type { Active } from "./state.ts";

/**
 * Hands a task to the peer: as `task_offer`, or to a plain go-p2p node as the request that its kind names, whose reply
 * will be the result. Such a node can't accept, so sending the request is taken for it.
 */
export function deliverOffer(session: Active, offer: TaskOffer, context: SessionContext): Move {
  if (!wasHeardLately(session, context)) return withhold(session, context);
  const leased = withLease(session, context.now + offer.lease_seconds * SECOND);
  const [sampled, alsoSent] = pingForSample(leased, context, SAMPLE_AGE);
  const { session: given, intents } = hand(sampled, offer, context);
  return stay(given, ...intents, ...alsoSent);
}

/** An RTT that was measured less long ago than this need not be measured again because there is an occasion. */
const SAMPLE_AGE = 60 * SECOND;

/** A peer that was not heard of lately gets nothing: the task goes to another, and this one is asked whether it is there. */
function withhold(session: Active, context: SessionContext): Move {
  const { session: probed, intents } = probe(session, context);
  return stay(probed, ...intents, { type: "offer_withheld" });
}

function hand(session: Active, offer: TaskOffer, context: SessionContext): Move {
  const { claim, epoch } = session;
  if (claim.speaksMuster) return stay(session, message(context, session, "task_offer", offer));
  const claimed = { peerId: claim.peerId, epoch, taskId: offer.task_id, fence: offer.fence };
  if (!isGoP2pRequest(offer.kind)) {
    const reason = "the peer speaks go-p2p alone";
    return stay(session, command({ name: "refuse_task", input: { ...claimed, reason } }));
  }
  const type = offer.kind.slice(GO_P2P_KIND.length) as GoP2pRequest;
  const request = compose(context, claim.peerId, type, offer.payload);
  const outstanding = { id: request.id, type, taskId: offer.task_id, fence: offer.fence };
  // Only the newest are kept: the mesh offers one at a time, and an older one that was never answered has lost its lease.
  const requests = [...session.taskRequests, outstanding].slice(-REQUESTS_MAX);
  return stay(
    { ...session, taskRequests: requests },
    { type: "message", envelope: request },
    command({ name: "accept_task", input: { ...claimed, queued: false } }),
  );
}

const REQUESTS_MAX = 16;

/** The task is no longer the peer's. A plain go-p2p node can't be told; its reply will count for nothing. */
export function cancelOffer(
  session: Active,
  taskId: string,
  fence: number,
  reason: string,
  context: SessionContext,
): Move {
  if (session.claim.speaksMuster) {
    return stay(
      session,
      message(context, session, "task_cancel", { task_id: taskId, fence, reason }),
    );
  }
  const requests = session.taskRequests.filter(
    (request) => request.taskId !== taskId || request.fence !== fence,
  );
  return stay({ ...session, taskRequests: requests });
}
