import type { EventFilter } from "../../contract/events.ts";
import type { MeshEvent } from "../../protocol/events.ts";

/** Whether an event meets every condition of a filter. */
export function matches(filter: EventFilter, event: MeshEvent): boolean {
  const { types, kind, owner, peer, tasks, visibleTo } = filter;
  const subjects: Partial<Record<"kind" | "owner" | "peer" | "task", string | null>> = event;
  return (
    (visibleTo === null || subjects.owner === visibleTo) &&
    (types.length === 0 || types.some((prefix) => event.type.startsWith(prefix))) &&
    (kind === null || subjects.kind === kind) &&
    (owner === null || subjects.owner === owner) &&
    (peer === null || subjects.peer === peer) &&
    (tasks.length === 0 || (typeof subjects.task === "string" && tasks.includes(subjects.task)))
  );
}
