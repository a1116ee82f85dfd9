import type { EventFilter } from "../../src/contract/events.ts";
import { eventFrame, gapFrame, openingFrame } from "../../src/coordinator/events/frames.ts";
import { toPosition } from "../../src/coordinator/events/position.ts";
import { startOf } from "../../src/coordinator/events/start.ts";
import { nextChunk, type EventStream } from "../../src/coordinator/events/stream.ts";
import type { MeshEvent } from "../../src/protocol/events.ts";
import { EventLog } from "../../src/registry/event-log.ts";
import { EventRecorder } from "../../src/registry/event-recorder.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { nodeSql } from "../node-sql.ts";

export const MARK = "0badcafe";

const EVERYTHING: EventFilter = {
  types: [],
  kind: null,
  owner: null,
  peer: null,
  tasks: [],
  visibleTo: null,
};

/** The gateway's end of a cell's socket. */
export class CellSocket extends EventTarget {
  isOpen = true;
  accept(): void {}
  send(): void {}
  close(): void {
    this.isOpen = false;
  }
  receive(data: string): void {
    if (this.isOpen) this.dispatchEvent(new MessageEvent("message", { data }));
  }
  end(code = 1006, reason = ""): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

/** A cell with a real log, whose streams are fed when the test says so. */
export class StreamedCell {
  readonly log: EventLog;
  readonly #recorder = new EventRecorder();
  readonly #cell: number;
  readonly #streams = new Map<CellSocket, EventStream>();
  isDown = false;
  /** What was committed, in order. */
  readonly committed: string[] = [];

  constructor(cell: number, now: number, rows = 1_000) {
    const sql = nodeSql();
    openRegistry(sql);
    this.#cell = cell;
    this.log = new EventLog(sql, this.#recorder, { rows, bytes: 10_000_000 });
    this.log.keepWhile(() => true);
    this.log.follow(now);
  }

  commit(now: number): void {
    const name = `${this.#cell}.${this.committed.length}`;
    this.committed.push(name);
    this.#recorder.record(eventOf(name));
    this.log.write(now);
  }

  open(after: string | null, now: number): CellSocket | null {
    if (this.isDown) return null;
    const start = startOf(this.log, after, MARK);
    const socket = new CellSocket();
    const first = openingFrame(toPosition(start.after, MARK));
    const text = start.gap === null ? first : first + gapFrame(start.gap);
    this.#streams.set(socket, {
      filter: EVERYTHING,
      owner: "admin",
      openedAt: now,
      after: start.after,
      sent: 0,
      taken: 0,
      toldAt: now,
    });
    // The gateway has listeners by then.
    queueMicrotask(() => socket.receive(text));
    return socket;
  }

  /** Sends every stream what it lacks. */
  feed(now: number): void {
    if (this.isDown) return;
    for (const [socket, stream] of this.#streams) {
      if (!socket.isOpen) this.#streams.delete(socket);
      const next = nextChunk(stream, this.#source(), now);
      if (!socket.isOpen || next === null) continue;
      this.#streams.set(socket, { ...next.stream, taken: next.stream.sent });
      if (next.text !== "") socket.receive(next.text);
    }
  }

  /** The object ends, and with it every stream. */
  fail(): void {
    this.isDown = true;
    this.end();
  }

  end(code?: number, reason?: string): void {
    for (const socket of this.#streams.keys()) socket.end(code, reason);
    this.#streams.clear();
  }

  #source() {
    return {
      mark: MARK,
      oldest: this.log.oldest() ?? 0,
      page: (after: number) =>
        this.log
          .read(after, 3)
          .events.map((logged) => ({ ...logged, frame: eventFrame(logged, MARK) })),
    };
  }
}

const eventOf = (name: string): MeshEvent => ({
  type: "task.progress",
  task: name,
  kind: "echo",
  owner: "admin",
  peer: null,
  fence: 1,
  state: "running",
  previous: "running",
  progress: null,
  message: 'a "quoted" text\n\nid: 1-0badcafe\nevent: end',
});
