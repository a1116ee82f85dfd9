import type { EventPage } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";

/** Which events a caller wants; null and empty lists set no condition. */
export interface EventFilter {
  /** Beginnings of types. */
  readonly types: readonly string[];
  readonly kind: string | null;
  readonly owner: string | null;
  readonly peer: string | null;
  readonly tasks: readonly string[];
  /** The owner whose tasks the caller may see, and nothing else; null when it may see everything. */
  readonly visibleTo: string | null;
}

/** What a stream of events begins with. */
export interface EventStreamInput {
  readonly filter: EventFilter;
  /** The events after this position; `oldest`: all that the log has; null: those to come. The gateway may also name a time (`sinceText`). */
  readonly after: string | null;
}

/** The events of the mesh. A stream is opened by a WebSocket (`durable/event-streams.ts`). */
export interface EventCommands {
  /** A page of the log. Whoever reads one counts as a follower for an hour, so this is no command that only reads. */
  list_events: {
    caller: "gateway";
    input: EventStreamInput & { readonly limit: number };
    output: EventPage;
  };
}

export const EVENT_CALLERS: CallersOf<EventCommands> = { list_events: "gateway" };
