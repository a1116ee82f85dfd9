import { MINUTE, SECOND, type Millis } from "../base/clock.ts";

/** A clock that was set back makes no negative time. */
export const secondsSince = (at: Millis, now: Millis): number => Math.max(0, now - at) / SECOND;

/** A duration for people. */
export function duration(time: Millis): string {
  const [unit, name] = time < MINUTE ? [SECOND, "second"] : [MINUTE, "minute"];
  const count = Math.floor(Math.max(0, time) / unit);
  return count === 1 ? `1 ${name}` : `${count} ${name}s`;
}
