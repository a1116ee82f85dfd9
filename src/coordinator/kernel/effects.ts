import type { DialOrder, EndFault, SessionRef } from "../../peers/session-orders.ts";
import type { PayloadOf, TaskOffer } from "../../protocol/messages.ts";

/**
 * What the Durable Object does once a command has committed. All of it may fail or be lost: leases end by themselves,
 * and what must happen stands in the outbox as well.
 */
export type Effect =
  | { readonly type: "offer"; readonly to: SessionRef; readonly offer: TaskOffer }
  | {
      readonly type: "cancel";
      readonly to: SessionRef;
      readonly taskId: string;
      readonly fence: number;
      readonly reason: string;
    }
  /** Tells a peer that a task which it gave has ended. */
  | {
      readonly type: "report";
      readonly to: SessionRef;
      readonly shown: PayloadOf<"task_shown">;
    }
  | { readonly type: "end_session"; readonly to: SessionRef; readonly fault: EndFault }
  | { readonly type: "dial"; readonly order: DialOrder }
  | { readonly type: "task_ended"; readonly taskId: string }
  | { readonly type: "drain_outbox" }
  | { readonly type: "drain_callbacks" };
