import { err, ok } from "../../base/result.ts";
import type { Handler } from "../kernel/handler.ts";
import { heldTask, workerOfTicket } from "./held-task.ts";

/**
 * The payload of the task that an attempt holds, for its peer, which was offered the task without it. Only a holder reads it: its lease
 * goes on by its progress, and an attempt that was given up is resumed by its session or by its result, never by this.
 */
export const readPayload: Handler<"read_payload"> = (context, claim) => {
  const peer = workerOfTicket(context, claim.peerId);
  if (!peer.ok) return peer;
  const task = heldTask(context, { ...claim, peerId: peer.value.id });
  return task.ok ? ok({ payload: task.value.payload }) : err(task.error);
};
