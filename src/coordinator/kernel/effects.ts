import type { LogEntry } from "../../base/log/log-events.ts";
import type { DialOrder, DrainOrder, EndFault, SessionRef } from "../../peers/session-orders.ts";
import type { PayloadOf, TaskOffer } from "../../protocol/messages.ts";

/**
 * What the Durable Object does once a command has committed. Each effect may fail or be lost: leases end by
 * themselves, and what must happen is in the outbox as well.
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
  /** Asks a peer for a task that waits there for a slot, because another peer could begin it at once. */
  | {
      readonly type: "recall";
      readonly to: SessionRef;
      readonly taskId: string;
      readonly fence: number;
    }
  /** Tells a peer that the operator drains it: it hands back what it has not begun, and leaves. */
  | { readonly type: "drain"; readonly to: SessionRef; readonly order: DrainOrder }
  /** Informs a peer that a task which it submitted has ended. */
  | {
      readonly type: "report";
      readonly to: SessionRef;
      readonly shown: PayloadOf<"task_shown">;
    }
  | { readonly type: "end_session"; readonly to: SessionRef; readonly fault: EndFault }
  | { readonly type: "dial"; readonly order: DialOrder }
  | { readonly type: "task_ended"; readonly taskId: string }
  /** The task is another cell's now: callers who wait for it go on there. */
  | { readonly type: "task_moved"; readonly taskId: string }
  /** Writes a line of the log. */
  | { readonly type: "log"; readonly entry: LogEntry }
  /**
   * The caller is answered once the other cell has taken this message. `isRequired`: it is told if that is not confirmed; else it only
   * waits for a moment.
   */
  | {
      readonly type: "await_cell";
      readonly cell: number;
      readonly seq: number;
      readonly isRequired: boolean;
    }
  | { readonly type: "drain_outbox" }
  | { readonly type: "drain_callbacks" };
