import { DAY } from "../../../src/base/clock.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { submission, TestMesh } from "../mesh.ts";

export const LIMIT = 20_000_000;
/** The largest payload, nearly: 262,144 bytes are allowed. */
export const LARGE = "x".repeat(260_000);

/** A mesh whose database may have 20 MB. `extra` bytes count as used besides what is in it. */
export function smallMesh(config: { readonly payloadRetention?: number } = {}) {
  const inner = nodeSql();
  const store = { extra: 0 };
  const sql: Sql = { ...inner, size: () => inner.size() + store.extra };
  const mesh = new TestMesh({
    sql,
    config: { storage: { limit: LIMIT, payloadRetention: DAY, ...config } },
  });
  return { mesh, store };
}

/** Makes the database as full as this share of its limit. */
export function fillTo(
  { mesh, store }: Pick<ReturnType<typeof smallMesh>, "mesh" | "store">,
  share: number,
): void {
  store.extra += Math.ceil(share * LIMIT) - mesh.registry.size();
}

export const submitAs = (
  mesh: TestMesh,
  owner: string,
  task: Partial<SubmitTaskInput> = {},
  source = "api",
): string => mesh.run("enqueue_task", submission({ kind: "echo", ...task }, { owner, source })).id;

/** Submits tasks with large payloads that end at once. */
export function endedTasks(
  mesh: TestMesh,
  owner: string,
  count: number,
  task: Partial<SubmitTaskInput> = {},
  source = "api",
): readonly string[] {
  return Array.from({ length: count }, () => {
    const id = submitAs(mesh, owner, { payload: LARGE, ...task }, source);
    mesh.run("cancel_task", { id, visibleTo: null });
    mesh.advanceClock(5_000);
    return id;
  });
}

export const isThere = (mesh: TestMesh, id: string): boolean =>
  mesh.registry.tasks.get(id) !== null;
