/** Tasks as messages and bodies carry them: their payloads and results as the text that came. `writeJson` writes them. */
import { toJsonText } from "../base/json-text/json-text.ts";
import type { TaskView } from "./http/tasks.ts";
import type { PayloadInput, PayloadOf } from "./messages.ts";

export const wireTask = (task: TaskView) => ({
  ...task,
  payload: toJsonText(task.payload),
  result: toJsonText(task.result),
});

/** A task that holds its result is sent without the secret to fetch it. */
export const wireShown = ({
  ticket,
  ...shown
}: PayloadOf<"task_shown">): PayloadInput<"task_shown"> => ({
  ...shown,
  task: wireTask(shown.task),
  ...(ticket !== undefined && shown.task.result_url !== null && { ticket }),
});

export const wireOffer = (offer: PayloadOf<"task_offer">): PayloadInput<"task_offer"> => ({
  ...offer,
  payload: toJsonText(offer.payload),
});
