import type { OutboxItem } from "../registry/outbox.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";
import type { EndFault, SessionRef } from "../peers/session-orders.ts";

/** The coordinator's own work: due times, and the outcome of what the outbox does. */
export interface KernelCommands {
  tick: { caller: "mesh"; input: Empty; output: Empty };
  session_ended: {
    caller: "mesh";
    input: { readonly to: SessionRef; readonly fault: EndFault };
    output: Empty;
  };
  probed: { caller: "mesh"; input: { readonly to: SessionRef }; output: Empty };
  outbox_failed: {
    caller: "mesh";
    input: Pick<OutboxItem, "entry" | "failures">;
    output: Empty;
  };
}

export const KERNEL_CALLERS: CallersOf<KernelCommands> = {
  tick: "mesh",
  session_ended: "mesh",
  probed: "mesh",
  outbox_failed: "mesh",
};
