/** The text of a stream of server-sent events (the HTML standard, section 9.2). */
import { SECOND, type Millis } from "../../base/clock.ts";
import type { EventGap } from "../../protocol/http.ts";
import type { LoggedEvent } from "../../registry/event-log.ts";
import { eventView } from "./view.ts";

/** After this time a client opens a stream again that has ended. */
const RECONNECT_AFTER: Millis = 2 * SECOND;

/** The first text: from now on the client has a position, also if no event comes. */
export const openingFrame = (position: string): string =>
  `retry: ${RECONNECT_AFTER}\n${positionFrame(position)}`;

/** Sets the position of the client without an event: those before it did not match its filter. */
export const positionFrame = (position: string): string => `id: ${position}\n\n`;

export const gapFrame = (gap: EventGap): string =>
  `id: ${gap.until}\nevent: gap\ndata: ${oneLine(gap)}\n\n`;

export function eventFrame(logged: LoggedEvent, mark: string): string {
  const view = eventView(logged, mark);
  return `id: ${view.id}\nevent: ${view.type}\ndata: ${oneLine(view)}\n\n`;
}

/** A comment, which clients ignore. */
export const commentFrame = (text: string): string => `: ${text}\n\n`;

export const HEARTBEAT_FRAME = commentFrame("heartbeat");

/** The last text of a stream that the client need not open again with this token. */
export const endFrame = (detail: string): string =>
  `event: end\ndata: ${oneLine({ code: "unauthorized", detail })}\n\n`;

/** JSON on one line, also for clients that split lines at more characters than the standard says. */
const oneLine = (value: object): string =>
  JSON.stringify(value).replaceAll(
    /[\u0085\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
