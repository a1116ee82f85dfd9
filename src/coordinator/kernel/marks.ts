import type { Millis } from "../../base/clock.ts";
import type { OutboxEntry } from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";

/**
 * What a command changed that concerns others. Handlers set marks where the change is made; `executeGroup` acts on them
 * once, after the last command of the group and inside its transaction. No handler has to remember who else must act.
 */
export interface Marks {
  /** A task became assignable, or a peer can take more: queued tasks are assigned. */
  workAvailable: boolean;
  /** A peer that drains may have finished. */
  drainsDue: boolean;
  /** The outbox has an entry that is due. */
  outboxDue: boolean;
  /** A callback is due. */
  callbacksDue: boolean;
}

export const noMarks = (): Marks => ({
  workAvailable: false,
  drainsDue: false,
  outboxDue: false,
  callbacksDue: false,
});

/** Adds the marks of one command to those of its group. */
export function mergeMarks(
  all: Marks,
  { workAvailable, drainsDue, outboxDue, callbacksDue }: Marks,
): void {
  all.workAvailable ||= workAvailable;
  all.drainsDue ||= drainsDue;
  all.outboxDue ||= outboxDue;
  all.callbacksDue ||= callbacksDue;
}

interface Marked {
  readonly marks: Marks;
}

/** Queued tasks are assigned at the end of the group that this command is in. */
export function markWorkAvailable({ marks }: Marked): void {
  marks.workAvailable = true;
}

/** Peers that have finished their drain say goodbye at the end of the group that this command is in. */
export function markDrainsDue({ marks }: Marked): void {
  marks.drainsDue = true;
}

/** Due callbacks are delivered once this command has committed. */
export function markCallbacksDue({ marks }: Marked): void {
  marks.callbacksDue = true;
}

/** Deletes a result from the store: at once, or when the export that may have to read it has ended. */
export const deleteResult = (context: Parameters<typeof addToOutbox>[0], blobId: string): void =>
  addToOutbox(
    context,
    { kind: "delete_result", blobId },
    context.registry.exportCopy.keepsResultsUntil ?? context.now,
  );

/** Adds an entry to the outbox, replacing the due time of an equal entry. What is due now is delivered after the commit. */
export function addToOutbox(
  { registry, now, marks }: Marked & { readonly registry: Registry; readonly now: Millis },
  entry: OutboxEntry,
  dueAt: Millis = now,
): void {
  registry.outbox.add(entry, dueAt);
  if (dueAt <= now) marks.outboxDue = true;
}

/** Makes an entry due now. An equal entry keeps the number of its failures: what it delivers has not changed, there is only more of it. */
export function addDueToOutbox(
  { registry, now, marks }: Marked & { readonly registry: Registry; readonly now: Millis },
  entry: OutboxEntry,
): void {
  registry.outbox.addNoLater(entry, now);
  marks.outboxDue = true;
}
