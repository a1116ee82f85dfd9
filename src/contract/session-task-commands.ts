import type { SubmitTask } from "../protocol/http.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { FromSession } from "./inputs.ts";

/** From controllers, over their own sessions. */
export interface AssignerCommands {
  assign_task: {
    input: FromSession & { readonly task: SubmitTask; readonly key: string | null };
    output: PayloadOf<"task_shown">;
  };
  query_task: { input: FromSession & { readonly id: string }; output: PayloadOf<"task_shown"> };
  recall_task: { input: FromSession & { readonly id: string }; output: PayloadOf<"task_shown"> };
}
