import { describe, expect, it } from "vitest";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { Input } from "../../src/contract/commands.ts";
import type { PageOutput } from "../../src/contract/inputs.ts";
import { ANNOUNCED } from "../coordinator/announced.ts";
import { START, submission, testKey } from "../coordinator/mesh.ts";
import { must, mustFail } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";

const ALL = { visibleTo: null } as const;

const meshOf = (cells: number): Promise<CellMesh> =>
  startedMesh(new CellMesh({ cells, config: { authMode: "open" } }));

/** Submits tasks over time, of which some have the same time; the newest first. */
async function submit(mesh: CellMesh, count: number, kind = "echo"): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    mesh.now += n % 3;
    ids.unshift(must(await mesh.call("enqueue_task", submission({ kind }))).id);
  }
  return ids;
}

async function join(mesh: CellMesh, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const { id: peerId, publicKey } = testKey(500 + n);
    const input = { ...ANNOUNCED, peerId, publicKey, session: `session ${n}` };
    const [answer] = await mesh.session({ name: "admit", input });
    expect(answer).toMatchObject({ ok: true });
    ids.push(peerId);
  }
  return ids.toSorted();
}

type Listed = "list_tasks" | "list_peers" | "list_audit" | "list_denied";

const idsOf = (items: readonly object[]): readonly string[] =>
  items.map((item) => ("id" in item ? String(item.id) : "")).toSorted();

/** Reads a list to its end. `between` runs after each page. */
async function readAll<K extends Listed>(
  mesh: CellMesh,
  name: K,
  input: Omit<Input<K>, "cursor">,
  between: (page: number) => unknown = () => {},
  begin?: string,
) {
  const items: Record<string, unknown>[] = [];
  const missing = new Set<number>();
  let cursor = begin;
  for (let page = 0; ; page++) {
    const answer = must(await mesh.call(name, { ...input, cursor })) as PageOutput;
    expect(answer).not.toHaveProperty("places");
    for (const cell of answer.missing_cells ?? []) missing.add(cell);
    const of = answer as unknown as Record<string, Record<string, unknown>[]>;
    items.push(...(of["tasks"] ?? of["peers"] ?? of["entries"] ?? []));
    if (answer.next_cursor === null) return { items, missing: [...missing] };
    cursor = answer.next_cursor;
    await between(page);
  }
}

describe("lists of a mesh of several cells", () => {
  it("CE40 show the tasks of all cells, the newest first", async () => {
    const mesh = await meshOf(4);
    const ids = await submit(mesh, 60);
    expect(new Set(ids.map(cellOfTask)).size).toBe(4);
    const { items, missing } = await readAll(mesh, "list_tasks", { limit: 7, ...ALL });
    expect(idsOf(items)).toEqual(ids.toSorted());
    const times = items.map(({ created_at: at }) => String(at));
    expect(times).toEqual(times.toSorted().toReversed());
    expect(missing).toEqual([]);
  });

  it("CE40 filter in all cells, and show an owner its own tasks only", async () => {
    const mesh = await meshOf(3);
    await submit(mesh, 12);
    const rare = await submit(mesh, 9, "rare");
    const { items } = await readAll(mesh, "list_tasks", { limit: 2, kind: "rare", ...ALL });
    expect(idsOf(items)).toEqual(rare.toSorted());
    const none = await readAll(mesh, "list_tasks", { limit: 2, visibleTo: "somebody" });
    expect(none.items).toEqual([]);
  });

  it("CE41 leave nothing out when a cell is down for a page", async () => {
    const mesh = await meshOf(4);
    const ids = await submit(mesh, 60);
    mesh.transport.down.add(2);
    const { items, missing } = await readAll(mesh, "list_tasks", { limit: 6, ...ALL }, () =>
      mesh.transport.down.clear(),
    );
    expect(missing).toEqual([2]);
    expect(idsOf(items)).toEqual(ids.toSorted());
  });

  it("CE42 name the cells that are down, and fail only without any", async () => {
    const mesh = await meshOf(3);
    const ids = await submit(mesh, 30);
    mesh.transport.down.add(1);
    const { items, missing } = await readAll(mesh, "list_tasks", { limit: 50, ...ALL });
    expect(missing).toEqual([1]);
    const others = ids.filter((id) => cellOfTask(id) !== 1);
    expect(idsOf(items)).toEqual(others.toSorted());
    mesh.transport.down.add(0).add(2);
    const fault = mustFail(await mesh.call("list_tasks", { limit: 5, ...ALL }));
    expect(fault.code).toBe("unavailable");
  });

  it("CE44 refuse a cursor that no page has given", async () => {
    const mesh = await meshOf(3);
    for (const cursor of ["c:", "c:1", "x", "c:1-a~2-b.99", "-1", `c:${"9".repeat(60)}-a`]) {
      const fault = await mesh.call("list_tasks", { limit: 5, cursor, ...ALL });
      if (cursor !== "c:") expect(mustFail(fault).code).toBe("invalid_request");
    }
    expect(mustFail(await mesh.call("list_peers", { limit: 5, cursor: "1-a" })).code).toBe(
      "invalid_request",
    );
  });

  it("CE45 go on with a cursor that a mesh of one cell has given", async () => {
    const mesh = await meshOf(1);
    const ids = await submit(mesh, 30);
    for (let n = 0; n < 20; n++)
      must(await mesh.call("revoke_peer", { id: testKey(800 + n).id, publicKey: undefined }));
    const peers = await join(mesh, 12);
    const [tasks, audit, denied, joined] = [
      must(await mesh.call("list_tasks", { limit: 10, ...ALL })),
      must(await mesh.call("list_audit", { limit: 7, act: "revoke_peer" })),
      must(await mesh.call("list_denied", { limit: 7 })),
      must(await mesh.call("list_peers", { limit: 5 })),
    ];
    mesh.setCells(3);
    await mesh.call("get_auth_mode", {});
    await mesh.settle(3);
    expect(mesh.known.version).toBe(1);
    const rest = async (name: Listed, page: PageOutput, more: object) =>
      (await readAll(mesh, name, { limit: 4, ...more }, () => {}, page.next_cursor ?? "")).items;
    const later = await rest("list_tasks", tasks, ALL);
    expect(idsOf([...tasks.tasks, ...later])).toEqual(ids.toSorted());
    const acts = await rest("list_audit", audit, { act: "revoke_peer" });
    const subjects = [...audit.entries, ...acts].map(({ subject }) => subject);
    expect([subjects.length, new Set(subjects).size]).toEqual([20, 20]);
    const keys = [...denied.entries, ...(await rest("list_denied", denied, {}))];
    expect(new Set(keys.map(({ peer_id: id }) => id)).size).toBe(20);
    const shown = [...joined.peers, ...(await rest("list_peers", joined, {}))];
    expect(shown.map(({ id }) => id)).toEqual(peers);
  });

  it("CE40 show peers by ID, revoked keys and audited acts the newest first, of all cells", async () => {
    const mesh = await meshOf(4);
    const ids = await join(mesh, 24);
    expect(new Set(ids.map((id) => homeOf(mesh.known, id))).size).toBe(4);
    const { items } = await readAll(mesh, "list_peers", { limit: 5 });
    expect(items.map(({ id }) => id)).toEqual(ids);
    for (const id of ids.slice(0, 10)) {
      mesh.now += 1_000;
      must(await mesh.call("revoke_peer", { id }));
    }
    const denied = await readAll(mesh, "list_denied", { limit: 3 });
    const newestFirst = ids.slice(0, 10).toReversed();
    expect(denied.items.map(({ peer_id: id }) => id)).toEqual(newestFirst);
    const audit = await readAll(mesh, "list_audit", { limit: 3, act: "revoke_peer" });
    expect(audit.items.map(({ subject }) => subject)).toEqual(newestFirst);
    expect(START).toBeLessThan(mesh.now);
  });
});

describe("sums of a mesh of several cells", () => {
  it("CE46 add what the cells have, and name those that are missing", async () => {
    const mesh = await meshOf(4);
    await submit(mesh, 20);
    await submit(mesh, 5, "rare");
    const stats = must(await mesh.call("task_stats", { visibleTo: null }));
    expect(stats).toMatchObject({ waiting: 25, running: 0 });
    expect(stats.kinds.map(({ kind, waiting }) => [kind, waiting])).toEqual([
      ["echo", 20],
      ["rare", 5],
    ]);
    expect(stats.owners).toMatchObject([{ owner: "admin", waiting: 25 }]);
    const one = mesh.config.storage.limit;
    const storage = must(await mesh.call("get_storage", {}));
    expect(storage).toMatchObject({ limit_bytes: 4 * one, state: "ok" });
    expect(storage).not.toHaveProperty("missing_cells");
    mesh.transport.down.add(3);
    expect(must(await mesh.call("get_storage", {}))).toMatchObject({
      limit_bytes: 3 * one,
      missing_cells: [3],
    });
  });

  it("CE46 make one map of the peers of all cells, by ID", async () => {
    const mesh = await meshOf(3);
    const ids = await join(mesh, 15);
    const map = must(await mesh.call("get_map", {}));
    expect(map.peers.map(({ id }) => id)).toEqual(ids);
    expect(map.truncated).toBe(false);
    expect(map).not.toHaveProperty("places");
  });

  it("CE51 tell the round trip of peers of two cells by what both have reported", async () => {
    const mesh = await meshOf(3);
    const ids = await join(mesh, 6);
    const [a = "", b = ""] = [
      ids[0],
      ids.find((id) => homeOf(mesh.known, id) !== homeOf(mesh.known, ids[0] ?? "")),
    ];
    expect(must(await mesh.call("get_rtt", { id: a, other: b }))).toEqual({
      peer_id: a,
      other_id: b,
      rtt_ms: null,
      error_ms: null,
      basis: null,
      observed: false,
      observed_ms: null,
      observed_at: null,
    });
    const unknown = testKey(999).id;
    expect(mustFail(await mesh.call("get_rtt", { id: a, other: unknown })).code).toBe("not_found");
  });

  it("CE50 say of a task which cell has it", async () => {
    const mesh = await meshOf(3);
    for (const id of await submit(mesh, 6)) {
      const why = must(await mesh.call("why_task", { id, visibleTo: null }));
      expect(why.cells).toMatchObject({ cell: cellOfTask(id) });
      // AS62: only the peers of this cell are looked at.
      expect(why.waits_because).toBe(
        `no connected peer handles echo in cell ${String(cellOfTask(id))}`,
      );
    }
  });

  it("CE49 exports and imports of several cells are refused", async () => {
    const mesh = await meshOf(2);
    for (const fault of [
      mustFail(await mesh.call("begin_export", {})),
      mustFail(await mesh.call("begin_import", { schema: 1, muster: "1", header: "{}" })),
    ])
      expect(fault).toMatchObject({ code: "conflict", detail: expect.stringContaining("--dir") });
  });
});
