import type { Note } from "../effects.ts";
import { stay } from "../outgoing.ts";
import type { Active } from "../state.ts";
import type { Move } from "../effects.ts";
import type { Handler } from "./handler.ts";

/** What a peer says of a task goes to the coordinator, which alone knows who holds it; its refusal is answered. */
export const handleTaskAccept: Handler<"task_accept"> = (session, { id, payload }) =>
  tell(session, id, {
    name: "accept_task",
    input: { ...attempt(session, payload), queued: payload.queued },
  });

export const handleTaskRefuse: Handler<"task_refuse"> = (session, { id, payload }) =>
  tell(session, id, {
    name: "refuse_task",
    input: { ...attempt(session, payload), reason: payload.reason },
  });

export const handleTaskProgress: Handler<"task_progress"> = (session, { id, payload }) =>
  tell(session, id, {
    name: "progress_task",
    input: {
      ...attempt(session, payload),
      progress: payload.progress ?? null,
      message: payload.message ?? null,
      queued: payload.queued,
    },
  });

export const handleTaskResult: Handler<"task_result"> = (session, { id, payload }) => {
  const { claim, epoch } = session;
  return tell(session, id, {
    name: "finish_task",
    input: { peerId: claim.peerId, epoch, outcome: payload },
  });
};

const attempt = (
  { claim, epoch }: Active,
  { task_id, fence }: { readonly task_id: string; readonly fence: number },
) => ({
  peerId: claim.peerId,
  epoch,
  taskId: task_id,
  fence,
});

const tell = (session: Active, messageId: string, note: Note): Move =>
  stay(session, { type: "tell", note, messageId });
