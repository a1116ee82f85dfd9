import type { Result } from "../base/result.ts";
import type { Admitted } from "../contract/admission.ts";
import type { Output, SessionAnswer } from "../contract/commands.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { HeldTask } from "../protocol/messages.ts";
import type { SessionContext } from "./context.ts";
import type { Move } from "./effects.ts";
import { withLease, withLiveness } from "./liveness.ts";
import { errorReply, message, showTask } from "./messages.ts";
import { command, stay } from "./moves.ts";
import { applyAdmission } from "./admission.ts";
import type { Active, Session } from "./state.ts";
import { holding } from "./task-credit.ts";

/**
 * The coordinator's answer to a command of this session. The session may have ended since it sent the command; then only
 * an admission still matters, because the coordinator holds a session that must be taken back.
 */
export function receiveAnswer(
  session: Session,
  answer: SessionAnswer,
  messageId: string | null,
  context: SessionContext,
): Move {
  if (answer.name === "admit") return receiveAdmission(session, answer.result, context);
  return session.state === "active"
    ? receiveWhileActive(session, answer, messageId, context)
    : stay(session);
}

function receiveAdmission(
  session: Session,
  result: Result<Admitted, MusterError>,
  context: SessionContext,
): Move {
  if (session.state === "admitting") return applyAdmission(session, result, context);
  if (session.state !== "closed" || session.claim === null || !result.ok) return stay(session);
  // The socket closed before the answer came.
  const { epoch } = result.value;
  const input = { peerId: session.claim.peerId, epoch, reason: "the connection closed" };
  return stay(session, command({ name: "gone", input: { ...input, silent: false } }));
}

function receiveWhileActive(
  session: Active,
  answer: Exclude<SessionAnswer, { name: "admit" }>,
  messageId: string | null,
  context: SessionContext,
): Move {
  switch (answer.name) {
    case "observe":
      return answer.result.ok
        ? stay(withLiveness(session, { suspect: answer.result.value.suspect }))
        : stay(session);
    case "accept_task":
    case "progress_task":
      return answer.result.ok
        ? stay(withHeld(session, answer.result.value, context))
        : refuse(session, answer.result.error, messageId, attemptOf(answer.input), context);
    case "refuse_task":
    case "release_task":
      return answer.result.ok
        ? stay(session)
        : refuse(session, answer.result.error, messageId, attemptOf(answer.input), context);
    case "finish_task": {
      const { task_id, fence } = answer.input.outcome;
      return answer.result.ok
        ? stay(session)
        : refuse(session, answer.result.error, messageId, { task_id, fence }, context);
    }
    case "announce":
    case "peer_drains":
    case "rotate_peer":
    case "report_rtts":
      return answer.result.ok
        ? stay(session)
        : refuse(session, answer.result.error, messageId, null, context);
    case "hear_advert": {
      if (!answer.result.ok) return refuse(session, answer.result.error, messageId, null, context);
      const sample = { pointers: [...answer.result.value.pointers] };
      return stay(session, message(context, session, "sample", sample, messageId ?? undefined));
    }
    case "assign_task":
    case "query_task":
    case "recall_task":
    case "retry_own_task": {
      if (!answer.result.ok) return refuse(session, answer.result.error, messageId, null, context);
      return stay(session, showTask(context, session, answer.result.value, messageId ?? undefined));
    }
    case "gone":
    case "dial_failed":
      // Sent by a session that has ended: there is no peer to inform. The object repeats a `gone` that failed.
      return stay(session);
    default:
      return answer satisfies never;
  }
}

/** The session of a peer that holds these attempts under leases. */
const withHeld = (
  session: Active,
  { leasedUntil, held }: Output<"accept_task">,
  { now }: SessionContext,
): Active => ({
  ...withLease(session, leasedUntil),
  credit: holding(session.credit, held, now),
});

/**
 * Replies to the peer's message with the reason of a refusal. A worker whose attempt has lost its lease is also told to stop
 * working on the task. A command that no message caused is not replied to.
 */
function refuse(
  session: Active,
  error: MusterError,
  messageId: string | null,
  attempt: HeldTask | null,
  context: SessionContext,
): Move {
  if (messageId === null) return stay(session);
  const reply = errorReply(context, session, error, messageId);
  if (error.code !== "lease_lost" || attempt === null) return stay(session, reply);
  const cancel = { ...attempt, reason: error.detail };
  return stay(session, reply, message(context, session, "task_cancel", cancel));
}

const attemptOf = ({
  taskId,
  fence,
}: {
  readonly taskId: string;
  readonly fence: number;
}): HeldTask => ({ task_id: taskId, fence });
