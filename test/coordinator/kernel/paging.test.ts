import { describe, expect, test } from "vitest";
import type { CommandName, Input } from "../../../src/contract/commands.ts";
import { KEYS, submission, testKey, TestMesh } from "../mesh.ts";

const [A] = KEYS;

/** All pages of a list, by following the cursors. */
function allPages<T>(
  list: (cursor: string | undefined) => { items: readonly T[]; next_cursor: string | null },
): T[][] {
  const all: T[][] = [];
  for (let cursor: string | undefined; ;) {
    const page = list(cursor);
    all.push([...page.items]);
    if (page.next_cursor === null) return all;
    cursor = page.next_cursor;
  }
}

function taskPages(mesh: TestMesh, limit: number, more: Partial<Input<"list_tasks">> = {}) {
  return allPages((cursor) => {
    const page = mesh.run("list_tasks", { limit, cursor, visibleTo: null, ...more });
    return { items: page.tasks.map(({ id }) => id), next_cursor: page.next_cursor };
  });
}

function peerPages(mesh: TestMesh, limit: number, more: Partial<Input<"list_peers">> = {}) {
  return allPages((cursor) => {
    const page = mesh.run("list_peers", { limit, cursor, ...more });
    return { items: page.peers.map(({ id }) => id), next_cursor: page.next_cursor };
  });
}

describe("the list of tasks", () => {
  test("HT5 the list of tasks shows each task once, newest first, in pages of the requested size", () => {
    const mesh = new TestMesh();
    const ids = Array.from({ length: 7 }, () => mesh.submit().id).toReversed();
    expect(taskPages(mesh, 3)).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    expect(taskPages(mesh, 7)).toEqual([ids]);
    expect(taskPages(new TestMesh(), 3)).toEqual([[]]);
  });

  test("HT5 the list of tasks shows no task twice when tasks are submitted between two pages", () => {
    const mesh = new TestMesh();
    const ids = Array.from({ length: 4 }, () => mesh.submit().id).toReversed();
    const shown = allPages((cursor) => {
      const page = mesh.run("list_tasks", { limit: 1, cursor, visibleTo: null });
      mesh.submit();
      return { items: page.tasks.map(({ id }) => id), next_cursor: page.next_cursor };
    });
    expect(shown.flat()).toEqual(ids);
  });

  test("the list of tasks can be limited by state, kind and owner", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const ended = mesh.submit({ kind: "a" }).id;
    peer.finish();
    peer.leave();
    const queued = ["a", "b", "a"].map((kind) => mesh.submit({ kind }).id);
    const owned = submission({ kind: "b" }, { owner: "token-1" });
    const other = mesh.run("submit_task", owned).task.id;
    expect(taskPages(mesh, 9, { state: "succeeded" })).toEqual([[ended]]);
    expect(taskPages(mesh, 1, { kind: "a", state: "queued" })).toEqual([[queued[2]], [queued[0]]]);
    expect(taskPages(mesh, 9, { visibleTo: "token-1" })).toEqual([[other]]);
  });

  test("the list of tasks leaves out payloads, results and attempts, which the view of one task contains", () => {
    const mesh = new TestMesh();
    const { payload, attempts, callback, ...rest } = mesh.submit({ kind: "echo", payload: 1 });
    const { result, result_sealed, result_bytes, result_url, ...more } = rest;
    const { result_fence, result_sha256, result_signature, tracestate, ...summary } = more;
    expect([result_fence, result_sha256, result_signature]).toEqual([null, null, null]);
    expect(tracestate).toBeNull();
    const { tasks } = mesh.run("list_tasks", { limit: 1, visibleTo: null });
    expect([payload, attempts, callback]).toEqual([1, [], null]);
    expect([result, result_sealed, result_bytes, result_url]).toEqual([null, false, null, null]);
    expect(tasks).toEqual([summary]);
  });
});

describe("the list of peers", () => {
  function meshOf(count: number): { mesh: TestMesh; ids: string[] } {
    const mesh = new TestMesh();
    for (let i = 0; i < count; i++) mesh.join(testKey(500 + i));
    return { mesh, ids: [...mesh.sessions.values()].map(({ id }) => id).toSorted() };
  }

  test("HT5 the list of peers shows each peer once, ordered by ID, in pages of the requested size", () => {
    const { mesh, ids } = meshOf(5);
    expect(peerPages(mesh, 2)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    expect(peerPages(mesh, 5)).toEqual([ids]);
  });

  test("the list of peers can be limited by state and role", () => {
    const { mesh, ids } = meshOf(3);
    const [left, suspect] = [...mesh.sessions.values()];
    left?.leave();
    suspect?.observe("missed_answer");
    expect(peerPages(mesh, 9, { state: "stale" })).toEqual([[left?.id]]);
    expect(peerPages(mesh, 9, { state: "suspect" })).toEqual([[suspect?.id]]);
    expect(peerPages(mesh, 9, { role: "worker" })).toEqual([ids]);
    expect(peerPages(mesh, 9, { role: "controller" })).toEqual([[]]);
  });
});

describe("the list of pointers", () => {
  test("HT5 the list of pointers shows each pointer once, ordered by ID, in pages of the requested size", () => {
    const mesh = new TestMesh();
    for (const key of KEYS) mesh.join(key);
    const ids = mesh.rows("SELECT id FROM pointers ORDER BY id").map(({ id }) => id);
    const shown = allPages((cursor) => {
      const { pointers, next_cursor } = mesh.listPointers({ limit: 3, cursor });
      return { items: pointers.map(({ id }) => id), next_cursor };
    });
    expect(shown).toEqual([ids.slice(0, 3), ids.slice(3)]);
  });
});

const INVALID_CURSORS: { readonly [K in CommandName]?: readonly string[] } = {
  list_tasks: ["", "x", "-1", "0", "1.5", "0x10", "1e3", " 1", "99999999999999999"],
  list_audit: ["", "x", "-1", "1.5"],
  list_denied: ["", "x", "1", "-", `1-${"0".repeat(31)}`, `-1-${"0".repeat(32)}`],
  list_peers: ["", "x", "0".repeat(31), "G".repeat(32)],
  list_pointers: ["", "x", "0".repeat(31), "G".repeat(32)],
};

test.for(Object.entries(INVALID_CURSORS))(
  "HT3 %s refuses a cursor that no page returned",
  ([name, cursors]) => {
    const mesh = new TestMesh();
    for (const cursor of cursors) {
      const page = { limit: 9, cursor, visibleTo: null, query: { limit: 9, cursor } };
      expect(mesh.errorOf(name as "list_tasks", page).code, cursor).toBe("invalid_request");
    }
  },
);
