import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import type { CellAnswer } from "../../durable/rpc.ts";
import { cellObjectName } from "../../src/cells/object-name.ts";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import { submission } from "../coordinator/submission.ts";
import { api, until } from "../durable/api.ts";

afterEach(async () => {
  await reset();
});

const CELL = 1;
const INPUT = submission({ kind: "echo" });

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
