import { textOfJson, type ExactJson } from "../../base/json-text/json-text.ts";
import type { TaskOffer } from "../../protocol/messages.ts";
import { sentTrace } from "../tasks/sent-trace.ts";
import type { TaskContext } from "./handler.ts";

/** What the handler of an offered attempt gets. `payload`: the offer's, or the one that it refers to. */
export const taskContext = (
  offer: TaskOffer,
  payload: ExactJson,
  signal: AbortSignal,
  progress: TaskContext["progress"],
): TaskContext => ({
  taskId: offer.task_id,
  kind: offer.kind,
  payloadText: textOfJson(payload),
  attempt: offer.attempt,
  fence: offer.fence,
  ...sentTrace(offer),
  signal,
  progress,
});
