import type { MeshEvent } from "../client/index.ts";
import { percent } from "./task-output.ts";

/** One line for an event of the mesh. */
export function eventText(event: MeshEvent): string {
  if (event.type === "gap")
    return `events are missing before ${event.id} (${event.reason}): look at the states again`;
  return [event.at, event.type, ...subjectsOf(event)].filter((part) => part !== "").join("  ");
}

/** What the event is about, and what it says of it. */
function subjectsOf(event: Exclude<MeshEvent, { readonly type: "gap" }>): readonly string[] {
  if ("task" in event) {
    const { task, kind, peer, progress, message, type } = event;
    const reported = type === "task.progress";
    return [
      task,
      kind,
      peer === null ? "" : `at ${peer}`,
      reported && progress !== null ? percent(progress) : "",
      reported ? (message ?? "") : "",
    ];
  }
  if ("alert" in event) return [event.key, event.message];
  if ("scheduling" in event) {
    const { peer, name, scheduling, leaving } = event;
    return [peer, name, scheduling === "open" ? "" : scheduling, leaving ? "leaving" : ""];
  }
  if ("kind" in event) return [event.peer, event.kind ?? "every kind"];
  return [event.peer];
}
