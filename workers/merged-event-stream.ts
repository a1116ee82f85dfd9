import { backoffPause, equalJitter } from "../src/base/backoff.ts";
import { SECOND } from "../src/base/clock.ts";
import { endFrame } from "../src/coordinator/events/frames.ts";
import { MergedFrames } from "../src/coordinator/events/merged-frames.ts";
import { discard, type CellStreams } from "../durable/cell-streams.ts";
import { streamOf, type TextSource } from "./event-stream.ts";
import { SocketTexts } from "./socket-texts.ts";

/** Pauses before the stream of a cell is opened again. */
const REOPEN = { initial: SECOND, max: 30 * SECOND } as const;

/**
 * The body of a stream of events of several cells. A cell whose stream ends, or can't be opened, is asked again where it was, and the others
 * go on. The stream ends when no cell is left, and when the mesh has other cells: the client opens it again where it was.
 */
export const mergedEventStream = (streams: CellStreams): ReadableStream<Uint8Array> =>
  streamOf((changed) => new CellSockets(streams, changed));

/** The stream of one cell; null while it is to be opened again. */
interface OfCell {
  texts: SocketTexts | null;
}

class CellSockets implements TextSource {
  readonly #streams: CellStreams;
  readonly #changed: () => void;
  readonly #frames: MergedFrames;
  readonly #cells = new Map<number, OfCell>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Texts that the mesh itself has to say. */
  readonly #own: string[] = [];
  /** The cell whose turn is next. */
  #turn = 0;
  #hasEnded = false;

  constructor(streams: CellStreams, changed: () => void) {
    this.#streams = streams;
    this.#changed = changed;
    const { after, sockets } = streams;
    const open = [...sockets].flatMap(([cell, socket]) => (socket === null ? [] : [cell]));
    this.#frames = new MergedFrames(after, open, Date.now());
    for (const [cell, socket] of sockets)
      this.#cells.set(cell, { texts: socket === null ? null : new SocketTexts(socket, changed) });
  }

  start(): void {
    for (const [cell, { texts }] of this.#cells)
      if (texts === null) this.#lost(cell);
      else texts.start();
  }

  take(): string | null {
    for (;;) {
      const own = this.#own.shift();
      if (own !== undefined) return own;
      if (this.#hasEnded) return null;
      const next = this.#next();
      if (next !== null) {
        const text = this.#frames.push(next.cell, next.text);
        if (text !== "") return text;
      } else if (!this.#loseEnded()) return null;
    }
  }

  get isOver(): boolean {
    return this.#hasEnded && this.#own.length === 0;
  }

  beat(): void {
    for (const { texts } of this.#cells.values()) texts?.beat();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { texts } of this.#cells.values()) texts?.end();
    this.#changed();
  }

  /** The next text of a cell, each in its turn. */
  #next(): { readonly cell: number; readonly text: string } | null {
    const cells = [...this.#cells];
    for (let tried = 0; tried < cells.length; tried++) {
      const [cell, { texts }] = cells[(this.#turn + tried) % cells.length] as [number, OfCell];
      const text = texts?.take() ?? null;
      if (text === null) continue;
      this.#turn += tried + 1;
      return { cell, text };
    }
    return null;
  }

  /** Notes the streams that have ended since the last time; false if none has. */
  #loseEnded(): boolean {
    let found = false;
    for (const [cell, of] of this.#cells) {
      const { texts } = of;
      if (texts?.isOver !== true) continue;
      found = true;
      of.texts = null;
      if (texts.denied === null) this.#lost(cell);
      else this.#endWith(endFrame(texts.denied));
    }
    return found;
  }

  #lost(cell: number): void {
    if (this.#hasEnded) return;
    this.#own.push(this.#frames.lost(cell));
    if ([...this.#cells.values()].every(({ texts }) => texts === null)) this.end();
    else this.#reopenLater(cell, 1);
  }

  #reopenLater(cell: number, failures: number): void {
    const pause = equalJitter(backoffPause(REOPEN, failures), Math.random());
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#reopen(cell, failures);
    }, pause);
    this.#timers.add(timer);
  }

  async #reopen(cell: number, failures: number): Promise<void> {
    const opened = await this.#streams.reopen(cell, this.#frames.afterOf(cell));
    if (this.#hasEnded) {
      if (opened?.ok === true) discard(opened.value);
      return;
    }
    // The mesh has other cells than this stream.
    if (opened === null) return this.end();
    if (opened.ok) {
      const texts = new SocketTexts(opened.value, this.#changed);
      this.#cells.set(cell, { texts });
      texts.start();
    } else if (opened.error.code === "unauthorized") this.#endWith(endFrame(opened.error.detail));
    else this.#reopenLater(cell, failures + 1);
  }

  /** The last text of the stream. */
  #endWith(text: string): void {
    this.#own.push(text);
    this.end();
  }
}
