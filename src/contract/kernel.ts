import type { OutboxItem } from "../registry/outbox.ts";
import type { CallersOf } from "./caller.ts";
import type { Nothing } from "./inputs.ts";
import type { EndFault, SessionRef } from "./session-orders.ts";

/** The coordinator's own work: due times, and the outcome of what the outbox does. */
export interface KernelCommands {
  tick: { caller: "mesh"; input: Nothing; output: Nothing };
  session_ended: {
    caller: "mesh";
    input: { readonly to: SessionRef; readonly fault: EndFault };
    output: Nothing;
  };
  probed: { caller: "mesh"; input: { readonly to: SessionRef }; output: Nothing };
  outbox_failed: {
    caller: "mesh";
    input: Pick<OutboxItem, "kind" | "subject" | "failures">;
    output: Nothing;
  };
}

export const KERNEL_CALLERS: CallersOf<KernelCommands> = {
  tick: "mesh",
  session_ended: "mesh",
  probed: "mesh",
  outbox_failed: "mesh",
};
