import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import type { Job } from "../kernel/job.ts";
import { removeExpired } from "./lifetimes.ts";
import { makeRoom, REMOVED_IN_TICK } from "./make-room.ts";

/** Between two steps of making room without traffic, and until the next look when there was nothing to remove. */
const STEP_INTERVAL: Millis = SECOND / 10;
const LOOK_INTERVAL: Millis = MINUTE;

/** Removes ended tasks while the database is too large. Commands do the same, a smaller step each. */
const removeForRoom: Job = {
  name: "remove_for_room",
  run: (context) => makeRoom(context, REMOVED_IN_TICK),
  due: {
    reads: ["room"],
    at({ registry, now }) {
      const { making } = registry.room;
      if (making === "no") return null;
      return now + (making === "yes" ? STEP_INTERVAL : LOOK_INTERVAL);
    },
  },
};

export const storageJobs: readonly Job[] = [removeExpired, removeForRoom];
