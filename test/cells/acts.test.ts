import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { err, ok } from "../../src/base/result.ts";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import type { Input } from "../../src/contract/commands.ts";
import type { BulkView } from "../../src/protocol/http.ts";
import type { Network } from "../../src/routing/network.ts";
import { readSweepPlace, writeSweepPlace } from "../../src/routing/sweep-cursor.ts";
import { swept } from "../../src/routing/sweep.ts";
import { ANNOUNCED } from "../coordinator/announced.ts";
import { submission, testKey } from "../coordinator/mesh.ts";
import { must, mustFail } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";

const ALL = { visibleTo: null } as const;

const meshOf = (cells: number): Promise<CellMesh> =>
  startedMesh(new CellMesh({ cells, config: { authMode: "open" } }));

async function submit(mesh: CellMesh, count: number, kind = "echo"): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++)
    ids.push(must(await mesh.call("enqueue_task", submission({ kind }))).id);
  return ids;
}

async function stateOf(mesh: CellMesh, id: string): Promise<string> {
  return must(await mesh.call("get_task", { id, ...ALL })).state;
}

/** Repeats an act with its cursors until it is done. */
async function act<K extends "cancel_tasks" | "retry_tasks" | "preview_tasks">(
  mesh: CellMesh,
  name: K,
  input: Input<K>,
): Promise<BulkView> {
  let total: BulkView = { count: 0, task_ids: [], skipped: [], next_cursor: null };
  let cursor: string | undefined;
  for (;;) {
    const piece: BulkView = must(await mesh.call(name, { ...input, cursor }));
    const missing = [...(total.missing_cells ?? []), ...(piece.missing_cells ?? [])];
    total = {
      count: total.count + piece.count,
      task_ids: [...total.task_ids, ...piece.task_ids],
      skipped: [...total.skipped, ...piece.skipped],
      next_cursor: null,
      ...(missing.length > 0 && { missing_cells: missing }),
    };
    if (piece.next_cursor === null) return total;
    expect(piece.next_cursor.length).toBeLessThanOrEqual(100);
    cursor = piece.next_cursor;
  }
}

describe("acts on many tasks of several cells", () => {
  it("CE47 cancel and retry what a filter selects in every cell, once", async () => {
    const mesh = await meshOf(4);
    const [ids, others] = [await submit(mesh, 40), await submit(mesh, 8, "other")];
    const filter = { kind: "echo" };
    const preview = await act(mesh, "preview_tasks", { act: "cancel", filter, ...ALL });
    expect(preview).toMatchObject({ count: 40, skipped: [] });
    expect(await act(mesh, "cancel_tasks", { filter, ...ALL })).toMatchObject({ count: 40 });
    for (const id of ids) expect(await stateOf(mesh, id)).toBe("cancelled");
    for (const id of others) expect(await stateOf(mesh, id)).toBe("queued");
    const again = { filter: { ...filter, state: "cancelled" as const }, ...ALL };
    expect(await act(mesh, "retry_tasks", again)).toMatchObject({ count: 40 });
    for (const id of ids) expect(await stateOf(mesh, id)).toBe("queued");
  });

  it("CE47 name a cell that is not reached, and act on the others", async () => {
    const mesh = await meshOf(4);
    const ids = await submit(mesh, 40);
    mesh.transport.down.add(1);
    const reached = ids.filter((id) => cellOfTask(id) !== 1);
    const done = await act(mesh, "cancel_tasks", { filter: { kind: "echo" }, ...ALL });
    expect(done.count).toBe(reached.length);
    expect(new Set(done.missing_cells)).toEqual(new Set([1]));
    mesh.transport.down.clear();
    for (const id of ids) {
      const state = cellOfTask(id) === 1 ? "queued" : "cancelled";
      expect(await stateOf(mesh, id)).toBe(state);
    }
  });

  it("CE48 act on named tasks in their cells, and skip what they do not concern", async () => {
    const mesh = await meshOf(4);
    const ids = await submit(mesh, 30);
    const unknown = "00000000-0000-4000-8000-000000000000";
    const named = [...ids, unknown, ids[0] ?? ""];
    const done = await act(mesh, "cancel_tasks", { ids: named, ...ALL });
    expect(done).toMatchObject({ count: 30, skipped: [{ id: unknown, code: "not_found" }] });
    const again = await act(mesh, "cancel_tasks", { ids, ...ALL });
    expect(again.count).toBe(0);
    expect(again.skipped.map(({ code }) => code)).toEqual(ids.map(() => "task_ended"));
    mesh.transport.down.add(2);
    const some = await act(mesh, "retry_tasks", { ids, ...ALL });
    expect(some.count).toBe(ids.filter((id) => cellOfTask(id) !== 2).length);
    expect(some.missing_cells).toEqual([2]);
  });

  it("CE47 cordon the peers that meet the conditions in every cell, and refuse other cursors", async () => {
    const mesh = await meshOf(3);
    for (let n = 0; n < 15; n++) {
      const { id: peerId, publicKey } = testKey(500 + n);
      const input = { ...ANNOUNCED, peerId, publicKey, session: `session ${n}` };
      await mesh.session({ name: "admit", input });
    }
    const all = { select: { state: "active" as const }, action: "cordon" as const };
    const shown = must(await mesh.call("schedule_peers", { ...all, dryRun: true }));
    expect(shown).toMatchObject({ next_cursor: null });
    expect(shown.peers).toHaveLength(15);
    const done = must(await mesh.call("schedule_peers", { ...all, dryRun: false }));
    expect(done.peers.map(({ scheduling }) => scheduling)).toEqual(
      done.peers.map(() => "cordoned"),
    );
    expect(must(await mesh.call("schedule_peers", { ...all, dryRun: false })).peers).toEqual([]);
    for (const cursor of ["x", "s9u00.", "s0u00.zz", "s0u41."]) {
      const fault = await mesh.call("schedule_peers", { ...all, dryRun: false, cursor });
      expect(mustFail(fault).code).toBe("invalid_request");
    }
  });

  it("CE52 a restart ends the sessions of all cells, and says which were not reached", async () => {
    const mesh = await meshOf(3);
    for (let n = 0; n < 9; n++) {
      const { id: peerId, publicKey } = testKey(500 + n);
      const input = { ...ANNOUNCED, peerId, publicKey, session: `session ${n}` };
      await mesh.session({ name: "admit", input });
    }
    mesh.now += 1;
    mesh.transport.down.add(2);
    const some = must(await mesh.call("drain_mesh", { before: mesh.now, pauseMs: 0 }));
    expect(some).toMatchObject({ remaining: 0, missing_cells: [2] });
    mesh.transport.down.clear();
    const rest = must(await mesh.call("drain_mesh", { before: mesh.now, pauseMs: 0 }));
    expect(some.ended + rest.ended).toBe(9);
    expect(rest).not.toHaveProperty("missing_cells");
  });
});

/** Cells of which each has some items that an act changes. */
const networkOf = (cells: number): Network => ({
  topology: { version: 1, cells: Array.from({ length: cells }, () => "active"), earlier: [] },
  now: 0,
  random: () => 0,
  ask: async () => err({ code: "unavailable", detail: "is not asked" }),
  submit: async () => err({ code: "unavailable", detail: "is not asked" }),
});

describe("a sweep through the cells", () => {
  it("CE47 follows what moves behind it, until a round changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(19), fc.nat(3)), { maxLength: 2 }),
        fc.integer({ min: 1, max: 5 }),
        async (places, moves, limit) => {
          const items = new Map(places.map((cell, n) => [n, cell]));
          const left = [...moves];
          let changed = 0;
          let begin = { round: 0, hasChanged: false, cell: 0, inner: "0" };
          for (;;) {
            const done = must(
              await swept(networkOf(4), {
                begin,
                start: "0",
                repeats: true,
                limit: 5,
                ask: async (cell) => {
                  const own = [...items].filter(([, at]) => at === cell).slice(0, limit);
                  for (const [n] of own) items.delete(n);
                  changed += own.length;
                  const isMore = [...items.values()].includes(cell);
                  // Items move while the act changes others.
                  const move = own.length > 0 ? left.pop() : undefined;
                  if (move !== undefined && items.has(move[0])) items.set(move[0], move[1]);
                  return ok({ count: own.length, next: isMore ? "1" : null });
                },
              }),
            );
            if (done.next === null) break;
            const place = readSweepPlace(done.next);
            expect(place === null ? null : writeSweepPlace(place)).toBe(done.next);
            begin = place ?? begin;
          }
          expect([items.size, changed]).toEqual([0, places.length]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
