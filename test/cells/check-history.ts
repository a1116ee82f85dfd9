import assert from "node:assert/strict";
import type { SqlRow } from "../../src/registry/sql.ts";
import type { HistoryMesh } from "./history-mesh.ts";

/** What must hold at the end of each history. Assertions of Vitest would take as long as all that they look at. */
export async function checkHistory(history: HistoryMesh): Promise<void> {
  await checkTasks(history);
  checkKeys(history);
  checkPeers(history);
  checkCells(history);
}

/** What must hold once a mesh has gone through all its histories: every task is found where it went. */
export async function checkAllTasks({ mesh, tasks }: HistoryMesh): Promise<void> {
  for (const id of tasks) {
    const shown = await mesh.call("get_task", { id, visibleTo: null });
    assert(shown.ok && ENDED.has(shown.value.state), `task ${id} is not found any more`);
  }
}

/** 0 lost, 0 committed twice, 0 delivered after a revocation. */
async function checkTasks({ mesh, facts, peers, cancelled }: HistoryMesh): Promise<void> {
  for (const id of facts.accepted) {
    const places = mesh.cells.flatMap(({ registry }) => registry.tasks.get(id) ?? []);
    const [only] = places;
    assert(only !== undefined && places.length === 1, `task ${id} is in ${places.length} cells`);
    assert(ENDED.has(only.state), `task ${id} is ${only.state}`);
    // One that was cancelled may have been retried.
    assert(only.state !== "cancelled" || cancelled.has(id), `nobody cancelled ${id}`);
    const shown = await mesh.call("get_task", { id, visibleTo: null });
    assert(shown.ok && shown.value.state === only.state, `task ${id} is not shown as it is`);
  }
  for (const [id, fences] of facts.committed)
    assert(fences.size === 1, `results of the attempts ${[...fences].join()} of ${id} were taken`);
  for (const { id, revokedWith, offered } of peers)
    assert(revokedWith === null || offered === revokedWith, `peer ${id} got offers once revoked`);
  assert(facts.offeredTwice.length === 0, `two peers got ${facts.offeredTwice.join()}`);
  assert(facts.wronglyAdmitted.length === 0, `revoked: ${facts.wronglyAdmitted.join()}`);
  // While the number of cells changes, a concurrency key may be counted in two cells.
  assert(facts.changesCells || facts.mostAtOnce <= 1, "a concurrency key was exceeded");
}

const ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

/** A key has made one task, if it has made any, and every answer named it. So has a key and a place in a batch. */
function checkKeys({ mesh, facts }: HistoryMesh): void {
  const made = new Map<string, string[]>();
  for (const { id, payload } of mesh.cells.flatMap(({ rows }) => rows(NAMED))) {
    const name = JSON.parse(String(payload)) as string;
    made.set(name, [...(made.get(name) ?? []), String(id)]);
  }
  for (const [name, ids] of made) assert(ids.length === 1, `key ${name} has made ${ids.join()}`);
  for (const [name, ids] of facts.byKey) {
    const answered = [...ids];
    assert.deepEqual(answered, made.get(name), `key ${name} was answered with ${answered.join()}`);
  }
}

/** Tasks whose payload names their key. */
const NAMED = `SELECT id, payload FROM tasks WHERE payload <> 'null'`;

/** Every peer is at its home and nowhere else, with all that it has done. */
function checkPeers(history: HistoryMesh): void {
  const { mesh, peers, hasCrashed } = history;
  const listedIn = mesh.cells.map(({ rows }) => new Set(valuesOf(rows(LISTED), "id")));
  const done = mesh.cells.flatMap(({ rows }) => valuesOf(rows(DONE), "id"));
  for (const { id, revokedWith } of peers) {
    const home = history.home(id);
    const listed = listedIn.flatMap((ids, number) => (ids.has(id) ? [number] : []));
    assert.deepEqual(listed, [home], `${id} is listed in ${listed.join()}, its home is ${home}`);
    const at = mesh.cells.filter(({ registry }) => registry.peers.get(id) !== null);
    const barred = mesh.cells.filter(({ registry }) => registry.denylist.has(id));
    assert(barred.length <= 1 && (barred[0]?.number ?? home) === home, `${id} is barred elsewhere`);
    const [cell] = at;
    if (cell === undefined) continue;
    assert(at.length === 1 && cell.number === home, `${id} is in ${at.length} cells, not ${home}`);
    const state = cell.registry.peers.get(id)?.state;
    if (revokedWith !== null) {
      assert(state === "revoked", `${id} is ${state} although it was revoked`);
      assert(cell.registry.denylist.reasonOf(id) === "revoked", `${id} is not barred`);
    }
    const successes = cell.registry.peers.get(id)?.successes ?? 0;
    const all = done.filter((by) => by === id).length;
    // A crash loses measurements of the last seconds.
    assert(hasCrashed ? successes <= all : successes === all, `${id}: ${successes} of ${all}`);
  }
}

const LISTED = `SELECT peer_id AS id FROM allowlist`;
/** Who has done each task. */
const DONE = `SELECT peer_id AS id FROM attempts WHERE state = 'succeeded'`;

const valuesOf = (rows: readonly SqlRow[], column: string): readonly string[] =>
  rows.map((row) => String(row[column]));

/** What cells have in memory is what their rows say, and nothing is left of what has moved. */
function checkCells({ mesh }: HistoryMesh): void {
  for (const { number, registry, rows } of mesh.cells) {
    const { tasks, taskForwards } = registry;
    const left = [...tasks.ownerBytes.openOwners(), ...tasks.running.all()].length;
    const permits = taskForwards.permitsOf("admin", "one");
    assert(tasks.waiting.length + left + permits === 0, `cell ${number} counts tasks that ended`);
    assert.deepEqual(rows(WRONG), [], `cell ${number} has rows of tasks that it does not have`);
  }
}

/** Tasks with rows of another cell, and tasks of which two attempts have succeeded. */
const WRONG = `SELECT task_id FROM attempts WHERE task_id NOT IN (SELECT id FROM tasks)
  UNION ALL SELECT task_id FROM task_arrivals WHERE task_id NOT IN (SELECT id FROM tasks)
  UNION ALL SELECT task_id FROM task_forwards WHERE task_id IN (SELECT id FROM tasks)
  UNION ALL SELECT * FROM (SELECT task_id FROM attempts WHERE state = 'succeeded' GROUP BY task_id HAVING COUNT(*) > 1)`;
