import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { afterIn } from "../../src/cells/mesh-position.ts";
import { err, ok } from "../../src/base/result.ts";
import { SseParser, type SseMessage } from "../../src/base/sse-parser.ts";
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { EVENT_HEARTBEAT_INTERVAL } from "../../src/protocol/event-limits.ts";
import { EventGap, EventPosition, type EventView } from "../../src/protocol/http.ts";
import { mergedEventStream } from "../../workers/merged-event-stream.ts";
import { MARK, StreamedCell } from "./streamed-cell.ts";

const START = 1_795_348_800_000;

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

/** A mesh of cells, and one client of its stream. */
class StreamedMesh {
  readonly cells: StreamedCell[];
  /** The tasks of the events that the client has got, in order. */
  readonly got: string[] = [];
  readonly gaps: EventGap[] = [];
  readonly comments: string[] = [];
  /** Where the client goes on. */
  position: string | null;
  hasEnded = false;
  last: SseMessage | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** What a cell answers that is asked to be opened again, instead of its stream. */
  refusal: "unauthorized" | "changed" | null = null;

  constructor(cells: number, after: string | null = null) {
    this.position = after;
    this.cells = Array.from({ length: cells }, (_, cell) => new StreamedCell(cell, Date.now()));
  }

  /** Opens a stream where the client was. False if no cell answers. */
  open(): boolean {
    const after = this.position;
    const open = (cell: number, from: string | null) =>
      (this.cells[cell]?.open(from, Date.now()) ?? null) as WebSocket | null;
    const sockets = new Map(this.cells.map((_, cell) => [cell, open(cell, afterIn(after, cell))]));
    if (![...sockets.values()].some((socket) => socket !== null)) return false;
    const stream = mergedEventStream({
      after,
      sockets,
      reopen: async (cell, from) => {
        if (this.refusal === "changed") return null;
        if (this.refusal !== null) return err({ code: this.refusal, detail: "it is over" });
        const socket = open(cell, from);
        return socket === null ? err({ code: "unavailable", detail: "down" }) : ok(socket);
      },
    });
    this.hasEnded = false;
    this.#reader = stream.getReader();
    void this.#read(this.#reader);
    return true;
  }

  /** The client goes away; it comes back with `open`. */
  async leave(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.cancel();
    await settled();
  }

  get isOpen(): boolean {
    return this.#reader !== null && !this.hasEnded;
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      // What was on the way to a client that has left is lost.
      if (reader !== this.#reader) return;
      if (done) break;
      const text = decoder.decode(value);
      if (text.startsWith(":")) this.comments.push(text);
      for (const message of parser.push(text)) this.#take(message);
    }
    this.hasEnded = true;
  }

  #take(message: SseMessage): void {
    this.last = message;
    const { id, event, data } = message;
    if (id !== null) this.position = EventPosition.parse(id);
    if (data === null || event === "end") return;
    if (event === "gap") {
      const gap = EventGap.parse(JSON.parse(data));
      expect(gap.until).toBe(id);
      this.gaps.push(gap);
      return;
    }
    const view = JSON.parse(data) as EventView & { readonly task: string };
    expect([view.id, view.type]).toEqual([id, event]);
    this.got.push(view.task);
  }

  /** Every cell answers, and the client has what there is. */
  async catchUp(): Promise<void> {
    for (const cell of this.cells) cell.isDown = false;
    for (let n = 0; n < 40; n++) {
      if (!this.isOpen) this.open();
      await vi.advanceTimersByTimeAsync(2_000);
      for (const cell of this.cells) cell.feed(Date.now());
      await settled();
    }
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);

type Step =
  | { readonly does: "commit" | "feed" | "fail" | "recover"; readonly cell: number }
  | { readonly does: "wait"; readonly ms: number }
  | { readonly does: "leave" | "open" };

const steps = (cells: number) =>
  fc.array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          does: fc.constantFrom("commit", "commit", "feed", "feed", "fail", "recover"),
          cell: fc.nat(cells - 1),
        }),
      },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("wait"), ms: fc.nat(4_000) }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("leave", "open") }) },
    ),
    { minLength: 20, maxLength: 120 },
  ) as fc.Arbitrary<readonly Step[]>;

async function perform(mesh: StreamedMesh, step: Step): Promise<void> {
  switch (step.does) {
    case "commit":
      mesh.cells[step.cell]?.commit(Date.now());
      break;
    case "feed":
      mesh.cells[step.cell]?.feed(Date.now());
      break;
    case "fail":
      mesh.cells[step.cell]?.fail();
      break;
    case "recover":
      (mesh.cells[step.cell] as StreamedCell).isDown = false;
      break;
    case "wait":
      await vi.advanceTimersByTimeAsync(step.ms);
      break;
    case "leave":
      await mesh.leave();
      break;
    case "open":
      if (!mesh.isOpen) mesh.open();
      break;
    default:
      step satisfies never;
  }
  await settled();
}

const scale = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

test("CE60 a client gets each event of each cell once, in the cell's order, whichever cells go down and come back and wherever it resumes", async () => {
  const meshes = fc
    .integer({ min: 1, max: 5 })
    .chain((cells) => fc.tuple(fc.constant(cells), steps(cells)));
  await fc.assert(
    fc.asyncProperty(meshes, async ([cells, history]) => {
      const mesh = new StreamedMesh(cells, "oldest");
      mesh.open();
      await settled();
      for (const step of history) await perform(mesh, step);
      await mesh.catchUp();
      for (const [cell, { committed }] of mesh.cells.entries())
        expect(mesh.got.filter((name) => name.startsWith(`${cell}.`))).toEqual(committed);
      expect(mesh.gaps).toEqual([]);
      await mesh.leave();
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 60 * scale },
  );
});

describe("a stream of several cells", () => {
  test("CE60 begins with one position that has the numbers of all cells", async () => {
    const mesh = new StreamedMesh(3);
    mesh.open();
    await settled();
    expect(mesh.position).toBe(`${START}000.${START}000.${START}000-${MARK}`);
    await mesh.leave();
  });

  test("CE61 goes on while a cell does not answer, says so in a comment, and has its events once it does", async () => {
    const mesh = new StreamedMesh(3);
    mesh.open();
    await settled();
    mesh.cells[1]?.fail();
    await settled();
    expect(mesh.comments).toEqual([": cell 1 does not answer; its events follow once it does\n\n"]);
    for (const cell of mesh.cells) cell.commit(Date.now());
    await vi.advanceTimersByTimeAsync(60_000);
    mesh.cells[0]?.feed(Date.now());
    mesh.cells[2]?.feed(Date.now());
    await settled();
    expect(mesh.got).toEqual(["0.0", "2.0"]);
    await mesh.catchUp();
    expect(mesh.got).toEqual(["0.0", "2.0", "1.0"]);
    await mesh.leave();
  });

  test("CE61 opens without a cell that does not answer, whose events from then on follow, and no earlier ones", async () => {
    const mesh = new StreamedMesh(2);
    mesh.cells[1]?.commit(Date.now());
    await vi.advanceTimersByTimeAsync(1_000);
    mesh.cells[1]?.fail();
    mesh.open();
    await settled();
    await vi.advanceTimersByTimeAsync(1_000);
    mesh.cells[1]?.commit(Date.now());
    await mesh.catchUp();
    expect(mesh.got).toEqual(["1.1"]);
    await mesh.leave();
  });

  test("CE61 ends when no cell is left, and the client resumes", async () => {
    const mesh = new StreamedMesh(2);
    mesh.open();
    await settled();
    for (const cell of mesh.cells) cell.fail();
    await settled();
    expect(mesh.hasEnded).toBe(true);
    for (const cell of mesh.cells) cell.commit(Date.now());
    await mesh.catchUp();
    expect(mesh.got.toSorted()).toEqual(["0.0", "1.0"]);
    await mesh.leave();
  });

  test("CE62 a position from before the mesh has grown misses nothing of the new cells", async () => {
    const mesh = new StreamedMesh(3);
    mesh.cells[0]?.commit(START);
    mesh.position = `${START}001-${MARK}`;
    for (const cell of mesh.cells) cell.commit(START + 1);
    await mesh.catchUp();
    expect(mesh.got.toSorted()).toEqual(["0.1", "1.0", "2.0"]);
    expect(mesh.gaps).toEqual([]);
    await mesh.leave();
  });

  test("CE62 ends when the mesh has other cells, without a word to the client, which resumes", async () => {
    const mesh = new StreamedMesh(2);
    mesh.open();
    await settled();
    mesh.refusal = "changed";
    mesh.cells[1]?.end(CLOSE.draining, "the mesh has other cells");
    await vi.advanceTimersByTimeAsync(2_000);
    expect([mesh.hasEnded, mesh.last?.event]).toEqual([true, ""]);
  });

  test("CE63 gaps of several cells are one at the beginning, with positions of all cells", async () => {
    const mesh = new StreamedMesh(3);
    const old = `1.${START}000.2-${MARK}`;
    mesh.position = old;
    for (const cell of mesh.cells) cell.commit(Date.now());
    await mesh.catchUp();
    const until = `${START}000.${START}000.${START}000-${MARK}`;
    expect(mesh.gaps).toEqual([{ reason: "overwritten", after: old, until }]);
    expect(mesh.got.toSorted()).toEqual(["0.0", "1.0", "2.0"]);
    await mesh.leave();
  });

  test("CE63 a position of another mesh is one gap, and every cell begins with its oldest event", async () => {
    const mesh = new StreamedMesh(2);
    mesh.position = "9-00000000";
    for (const cell of mesh.cells) cell.commit(Date.now());
    await mesh.catchUp();
    expect(mesh.gaps).toMatchObject([{ reason: "other_mesh", after: "9-00000000" }]);
    expect(mesh.got.toSorted()).toEqual(["0.0", "1.0"]);
    await mesh.leave();
  });

  test("CE63 a gap of one cell on the way has the numbers of the others as they are", async () => {
    const mesh = new StreamedMesh(2);
    const small = new StreamedCell(1, START, 2);
    mesh.cells[1] = small;
    mesh.open();
    await settled();
    for (let n = 0; n < 5; n++) small.commit(START + n);
    await mesh.catchUp();
    const [gap] = mesh.gaps;
    expect(mesh.gaps).toHaveLength(1);
    expect(gap?.reason).toBe("overwritten");
    expect(gap?.after.split(".")[0]).toBe(gap?.until.split(".")[0]);
    expect(mesh.got).toEqual(["1.3", "1.4"]);
    await mesh.leave();
  });

  test.each([
    ["while it is open", (mesh: StreamedMesh) => mesh.cells[1]?.end(CLOSE.denied, "it is over")],
    [
      "while a cell is away",
      (mesh: StreamedMesh) => {
        mesh.refusal = "unauthorized";
        mesh.cells[1]?.fail();
      },
    ],
  ])("CE64 ends for good when its token is over %s", async (_, happens) => {
    const mesh = new StreamedMesh(3);
    mesh.open();
    await settled();
    happens(mesh);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(mesh.hasEnded).toBe(true);
    expect(mesh.last).toMatchObject({ event: "end" });
    expect(JSON.parse(mesh.last?.data ?? "")).toEqual({
      code: "unauthorized",
      detail: "it is over",
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("EV18 has one heartbeat every 15 s, however many cells there are", async () => {
    const mesh = new StreamedMesh(4);
    mesh.open();
    await settled();
    await vi.advanceTimersByTimeAsync(EVENT_HEARTBEAT_INTERVAL);
    expect(mesh.comments).toEqual([": heartbeat\n\n"]);
    await mesh.leave();
  });
});
