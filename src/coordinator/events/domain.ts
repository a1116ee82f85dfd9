import type { EventCommands } from "../../contract/events.ts";
import type { Domain } from "../kernel/domain.ts";
import { listEvents } from "./list-events.ts";

export const events: Domain<EventCommands> = {
  handlers: { list_events: listEvents },
  audit: { list_events: { notAudited: "reads" } },
  jobs: [],
};
