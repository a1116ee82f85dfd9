/** What reads streams of events, in one module: each part that is loaded later splits the files of all others (docs/decisions/095). */
export { followEvents } from "./follow-events.ts";
export { TaskChanges } from "./task-changes.ts";
