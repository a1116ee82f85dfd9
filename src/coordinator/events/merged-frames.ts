import type { Millis } from "../../base/clock.ts";
import {
  afterIn,
  beginning,
  numberIn,
  numberOf,
  positionText,
  readMeshPosition,
  withNumber,
  type MeshPosition,
} from "../../cells/mesh-position.ts";
import type { EventGap } from "../../protocol/http.ts";
import { commentFrame, gapFrame, openingFrame, positionFrame } from "./frames.ts";
import { sinceText } from "./position.ts";

/** A frame of a cell's stream. */
interface Frame {
  readonly id: string | null;
  readonly event: string | null;
  readonly data: string | null;
}

/**
 * Makes one stream of the streams of several cells: every frame gets a position that has the numbers of all cells. The order of each cell's
 * frames is kept. The stream begins once every cell that was open has said where it begins, because its first position names all of them.
 */
export class MergedFrames {
  readonly #after: string | null;
  readonly #openedAt: Millis;
  /** The cells whose first text has not come yet; null once the stream has begun. */
  #expected: Set<number> | null;
  /** What came before that. */
  #held: { readonly cell: number; readonly frame: Frame }[] = [];
  #position: MeshPosition | null = null;

  /**
   * @param after where the stream begins, as in `EventStreamInput`
   * @param open the cells whose streams are open
   */
  constructor(after: string | null, open: readonly number[], now: Millis) {
    this.#after = after;
    this.#openedAt = now;
    this.#expected = new Set(open);
  }

  /** What the client is sent for a text of a cell. It may be nothing. */
  push(cell: number, text: string): string {
    const frames = framesOf(text);
    this.#position ??= beginning(this.#after, markIn(frames));
    if (this.#expected === null) return frames.map((frame) => this.#merged(cell, frame)).join("");
    this.#held.push(...frames.map((frame) => ({ cell, frame })));
    return this.#opened(cell);
  }

  /** What the client is sent when the stream of a cell has ended, or could not be opened. Clients ignore comments. */
  lost(cell: number): string {
    return (
      this.#opened(cell) +
      commentFrame(`cell ${cell} does not answer; its events follow once it does`)
    );
  }

  /** Where the stream of a cell goes on that is opened again. */
  afterOf(cell: number): string | null {
    const position = this.#position;
    if (position !== null && numberIn(position, cell) > 0)
      return afterIn(positionText(position), cell);
    // The client wants what comes from now on, and now is when it has asked.
    return afterIn(this.#after, cell) ?? sinceText(this.#openedAt);
  }

  /** A cell has begun, or is not waited for any more. Begins the stream after the last one. */
  #opened(cell: number): string {
    if (this.#expected === null) return "";
    this.#expected.delete(cell);
    if (this.#expected.size > 0 || this.#position === null) return "";
    this.#expected = null;
    const held = this.#held;
    this.#held = [];
    let gap: EventGap | null = null;
    const rest = [];
    const begun = new Set<number>();
    for (const each of held) {
      const { cell: of, frame } = each;
      const isGap = frame.event === "gap";
      // A cell says where it begins, before its first event.
      if (begun.has(of) || (frame.event !== null && !isGap)) {
        begun.add(of);
        rest.push(each);
        continue;
      }
      if (isGap) gap ??= JSON.parse(frame.data ?? "") as EventGap;
      this.#advance(of, frame);
    }
    const until = positionText(this.#position);
    const opening =
      openingFrame(until) +
      (gap === null ? "" : gapFrame({ ...gap, after: this.#after ?? until, until }));
    return opening + rest.map(({ cell: of, frame }) => this.#merged(of, frame)).join("");
  }

  #merged(cell: number, frame: Frame): string {
    const { id, event, data } = frame;
    if (id === null || this.#position === null) return "";
    const before = positionText(this.#position);
    this.#advance(cell, frame);
    const position = positionText(this.#position);
    if (event === null || data === null) return positionFrame(position);
    if (event === "gap") {
      const { reason } = JSON.parse(data) as EventGap;
      return gapFrame({ reason, after: before, until: position });
    }
    // The event itself begins with its position.
    const rest = data.slice(data.indexOf(id) + id.length);
    return `id: ${position}\nevent: ${event}\ndata: {"id":"${position}${rest}\n\n`;
  }

  #advance(cell: number, { id }: Frame): void {
    if (id !== null && this.#position !== null)
      this.#position = withNumber(this.#position, cell, numberOf(id));
  }
}

const markIn = (frames: readonly Frame[]): string =>
  readMeshPosition(frames.find(({ id }) => id !== null)?.id ?? "").mark;

/** The frames of a text, which has whole ones. */
const framesOf = (text: string): readonly Frame[] =>
  text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const fields = new Map(
        block.split("\n").map((line) => {
          const colon = line.indexOf(": ");
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
      );
      const [id = null, event = null, data = null] = ["id", "event", "data"].map((name) =>
        fields.get(name),
      );
      return { id, event, data };
    });
