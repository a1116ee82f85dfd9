import { toRfc3339 } from "../../base/clock.ts";
import type { EventView } from "../../protocol/http.ts";
import type { LoggedEvent } from "../../registry/event-log.ts";
import { toPosition } from "./position.ts";

/** An event as callers see it. */
export const eventView = ({ id, at, event }: LoggedEvent, mark: string): EventView => ({
  id: toPosition(id, mark),
  at: toRfc3339(at),
  ...event,
});
