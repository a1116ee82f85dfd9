import { toRfc3339, type Millis } from "../../base/clock.ts";

/** A time as the API shows it; null when there is none. */
export const timeOrNull = (at: Millis | null): string | null =>
  at === null ? null : toRfc3339(at);
