import { SECOND, type Millis } from "../../base/clock.ts";
import type { EventFilter } from "../../contract/events.ts";
import { EVENT_WINDOW_CHARS } from "../../protocol/event-limits.ts";
import type { MeshEvent } from "../../protocol/events.ts";
import { gapFrame, positionFrame } from "./frames.ts";
import { matches } from "./matches.ts";
import { toPosition } from "./position.ts";

/** One reader of the log, and what it has got. */
export interface EventStream {
  readonly filter: EventFilter;
  /** Whose stream it is: the ID of a token, or `admin`. */
  readonly owner: string;
  readonly openedAt: Millis;
  /** The number of the last event that was looked at for it. */
  readonly after: number;
  /** Characters that were sent, and those that its reader has taken. */
  readonly sent: number;
  readonly taken: number;
  /** When it was sent something last: with that its client has learned its position. */
  readonly toldAt: Millis;
}

/** An event of the log, with the text that is the same for every stream. */
export interface FramedEvent {
  readonly id: number;
  readonly event: MeshEvent;
  readonly frame: string;
}

/** The log as streams read it. */
export interface EventSource {
  readonly mark: string;
  /** The number from which on nothing is missing. */
  readonly oldest: number;
  /** Some of the events after a number, the oldest first; none at the end of the log. */
  page(after: number): readonly FramedEvent[];
}

/** What a stream is sent next, which may be nothing, and the stream after that. */
export interface Chunk {
  readonly text: string;
  readonly stream: EventStream;
}

/** A chunk ends with the event that passes this: with the window, what is on the way to a reader is bounded. */
const CHUNK_CHARS = EVENT_WINDOW_CHARS / 2;
/** A client learns its position this often although no event matches: else it would name an old one when it comes back. */
const TELL_POSITION_EVERY: Millis = 10 * SECOND;

/** The next chunk of a stream; null if there is nothing new, or if its reader has to take first what was sent. */
export function nextChunk(stream: EventStream, source: EventSource, now: Millis): Chunk | null {
  if (stream.sent - stream.taken >= EVENT_WINDOW_CHARS) return null;
  const { mark, oldest } = source;
  let { after } = stream;
  let text = "";
  if (after < oldest) {
    const lost = { after: toPosition(after, mark), until: toPosition(oldest, mark) };
    text += gapFrame({ reason: "overwritten", ...lost });
    after = oldest;
  }
  for (const { id, event, frame } of source.page(after)) {
    if (text.length >= CHUNK_CHARS) break;
    after = id;
    if (matches(stream.filter, event)) text += frame;
  }
  if (after === stream.after) return null;
  if (text === "" && Math.abs(now - stream.toldAt) >= TELL_POSITION_EVERY)
    text = positionFrame(toPosition(after, mark));
  const sent = stream.sent + text.length;
  return { text, stream: { ...stream, after, sent, toldAt: text === "" ? stream.toldAt : now } };
}

/** The stream once its reader has taken so many characters in all. A number that is not possible is ignored. */
export const withTaken = (stream: EventStream, taken: number): EventStream =>
  Number.isSafeInteger(taken) && taken > stream.taken && taken <= stream.sent
    ? { ...stream, taken }
    : stream;
