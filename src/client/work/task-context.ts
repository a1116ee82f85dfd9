import { textOfJson } from "../../base/json-text/json-text.ts";
import type { TaskOffer } from "../../protocol/messages.ts";
import { sentTrace } from "../tasks/sent-trace.ts";
import type { TaskContext } from "./handler.ts";

/** What the handler of an offered attempt gets. */
export const taskContext = (
  offer: TaskOffer,
  signal: AbortSignal,
  progress: TaskContext["progress"],
): TaskContext => ({
  taskId: offer.task_id,
  kind: offer.kind,
  payloadText: textOfJson(offer.payload),
  attempt: offer.attempt,
  fence: offer.fence,
  ...sentTrace(offer),
  signal,
  progress,
});
