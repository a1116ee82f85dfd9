import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import type { CellAnswer } from "../../durable/rpc.ts";
import { cellObjectName } from "../../src/cells/object-name.ts";
import { placeOfKey } from "../../src/cells/placement.ts";
import { homeOf, SINGLE, withCells } from "../../src/cells/topology.ts";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import { submission } from "../coordinator/submission.ts";
import { api, until } from "../durable/api.ts";

afterEach(async () => {
  await reset();
});

const CELL = 1;
const INPUT = submission({ kind: "echo" });
/** An idempotency key whose home is the cell. */
const KEY_OF_CELL = Array.from({ length: 100 }, (_, n) => `key ${n}`).find(
  (key) => homeOf(withCells(SINGLE, 4, 0, 1), placeOfKey("admin", key)) === CELL,
) as string;

const cell = () => env.COORDINATOR.get(env.COORDINATOR.idFromName(cellObjectName(CELL)));

/** A caller of the cell, whose task would wait for so long in another one. */
const target = async (wait: number | null) => {
  const { body } = await api<{ topology_version: number }>("GET", "/v1/cells");
  return { cell: CELL, topology: body.topology_version, alternative: { kind: "echo", wait } };
};

const queued = async (): Promise<number> =>
  (await api<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks.length;

it("CE149 a cell where a task would wait for longer than elsewhere says so, and has stored nothing; else it says what its load is", async () => {
  // The cell learns the cells of the mesh from cell 0.
  await api("POST", "/v1/tasks", { kind: "echo" });
  await until(queued, (count) => count === 1);
  const commands = [{ name: "enqueue_task", input: INPUT }] as const;
  const to = await target(0);
  const called: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, to);
  const refused = await called;
  expect(refused).toEqual([{ elsewhere: expect.objectContaining({ kind: "echo", peers: 0 }) }]);
  const wanted = { ...to, digest: true };
  const told: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, wanted);
  expect(await told).toEqual([...refused, { digest: expect.objectContaining({ full: false }) }]);
  const polled: Promise<CellAnswer> = cell().submitAndWait(RPC_VERSION, "admin", INPUT, 1_000, to);
  expect(await polled).toEqual(refused);
  expect(await queued()).toBe(1);

  const free = await target(null);
  const accepted: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, free);
  expect(await accepted).toEqual([
    expect.objectContaining({ ok: true }),
    { load: expect.objectContaining({ kind: "echo", waiting: expect.any(Number) }) },
  ]);
  expect(await queued()).toBe(2);
});

it("CE151 a cell that does not know the mesh yet says so and has stored nothing; a caller with no other cell gets an error", async () => {
  await api("POST", "/v1/tasks", { kind: "echo" });
  await until(queued, (count) => count === 1);
  const commands = [{ name: "enqueue_task", input: INPUT }] as const;
  const at = async (wait: number | null) => {
    const known = await target(wait);
    // Newer than the one that cell 0 has.
    return { ...known, topology: known.topology + 1 };
  };
  const asked: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, await at(0));
  expect(await asked).toEqual([{ elsewhere: null }]);
  const to = await at(0);
  const polled: Promise<CellAnswer> = cell().submitAndWait(RPC_VERSION, "admin", INPUT, 1_000, to);
  expect(await polled).toEqual([{ elsewhere: null }]);
  const last: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, await at(null));
  expect(await last).toEqual([
    { ok: false, error: expect.objectContaining({ code: "unavailable" }) },
  ]);
  expect(await queued()).toBe(1);
});

it("CE153 a cell without a free slot hands a task on to the cell that its caller names, and knows it by its key", async () => {
  await api("POST", "/v1/tasks", { kind: "echo" });
  await until(queued, (count) => count === 1);
  const to = await target(-1);
  const handing = { ...to, alternative: { ...to.alternative, handOnTo: 2 } };
  const input = { ...INPUT, idempotency: { scope: "admin", key: KEY_OF_CELL } };
  const commands = [{ name: "enqueue_task", input }] as const;
  const called: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, handing);
  const [accepted] = await called;
  const value = { id: expect.any(String), duplicate: false };
  expect(accepted).toEqual({ ok: true, value });
  const { id } = (accepted as unknown as { readonly value: { readonly id: string } }).value;
  const left = await runInDurableObject(cell(), (_, { storage }) =>
    storage.sql.exec("SELECT task_id, cell FROM task_forwards").toArray(),
  );
  expect(left).toEqual([{ task_id: id, cell: 2 }]);
  // While the task is on its way, nothing is said of it.
  const repeated = async () => {
    const again: Promise<CellAnswer> = cell().execute(RPC_VERSION, "admin", commands, handing);
    return (await again)[0];
  };
  const known = { ok: true, value: { id, duplicate: true } };
  await until(repeated, (answer) => JSON.stringify(answer) === JSON.stringify(known));
  const { body } = await api<{ state: string }>("GET", `/v1/tasks/${id}`);
  expect(body.state).toBe("queued");
});
