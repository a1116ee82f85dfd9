import { describe, expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import { testKey } from "../coordinator/keys.ts";
import { submission } from "../coordinator/submission.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { codeOf, createToken, join, startedMesh } from "./mesh-facts.ts";

/** Four cells, each with a worker that takes as many tasks as there are. */
async function meshWithWorkers(): Promise<CellMesh> {
  const mesh = await startedMesh(new CellMesh({ cells: 4, config: { authMode: "open" } }));
  const reached = new Set<number>();
  for (let seed = 800; reached.size < 4; seed++) {
    const key = testKey(seed);
    const home = homeOf(mesh.known, key.id);
    if (reached.has(home)) continue;
    reached.add(home);
    expect(codeOf(await join(mesh, key, { slots: 64, prefetch: true }))).toBe("ok");
  }
  return mesh;
}

/** Submits tasks under keys, so that every cell gets some of them; returns the codes of the answers. */
const submitMany = (mesh: CellMesh, owner: string, count = 60): Promise<readonly string[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const idempotency = { scope: owner, key: `${n}` };
      const input = submission({ kind: "build" }, { owner, idempotency });
      return codeOf(
        await mesh.call("submit_task", input, owner === "admin" ? owner : `token:${owner}`),
      );
    }),
  );

/** How many tasks the peers of each cell hold. */
const heldIn = (mesh: CellMesh) =>
  mesh.cells.map(({ registry }) => registry.tasks.running.ofKind("build"));

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

describe("limits of a mesh of several cells", () => {
  it.each([1, 2, 3, 6, 8])(
    "CE30 %i tasks of a kind at once is the limit of all cells together, and it is used up",
    async (concurrency) => {
      const mesh = await meshWithWorkers();
      const settings = { attempt_timeout_seconds: null, concurrency, rate: null };
      must(await mesh.call("put_kind", { kind: "build", settings }));
      await submitMany(mesh, "admin");
      await mesh.drain();
      expect(sum(heldIn(mesh))).toBe(concurrency);
      expect(Math.max(...heldIn(mesh)) - Math.min(...heldIn(mesh))).toBeLessThanOrEqual(1);
    },
  );

  it.each([1, 5])("CE30 and so is max_running %i of a token", async (max_running) => {
    const mesh = await meshWithWorkers();
    const { id } = await createToken(mesh, { max_running });
    await submitMany(mesh, id);
    await mesh.drain();
    expect(sum(heldIn(mesh))).toBe(max_running);
  });

  it("CE31 a cell takes its share of max_waiting, and says that it is a share", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    const { id } = await createToken(mesh, { max_waiting: 8 });
    const codes = await submitMany(mesh, id);
    expect(codes.filter((code) => code === "ok")).toHaveLength(8);
    const input = submission(
      { kind: "build" },
      { owner: id, idempotency: { scope: id, key: "one more" } },
    );
    const refused = await mesh.call("submit_task", input, `token:${id}`);
    expect(refused).toMatchObject({ error: { code: "owner_queue_full" } });
    expect(JSON.stringify(refused)).toContain("the share that this cell has of its limit");
  });

  it("CE31 every cell takes a task of an owner whose max_waiting is smaller than the number of cells", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    const { id } = await createToken(mesh, { max_waiting: 1 });
    const codes = await submitMany(mesh, id);
    expect(codes.filter((code) => code === "ok")).toHaveLength(4);
  });

  it("CE31 an owner has no more tasks in the queue of the only cell that could take them than its share there, whichever cells accept them", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4, config: { authMode: "open" } }));
    // The only worker of the kind is busy, and stays so.
    expect(codeOf(await join(mesh, testKey(800), { kinds: ["build"], slots: 1 }))).toBe("ok");
    must(await mesh.call("submit_task", submission({ kind: "build" })));
    const { id } = await createToken(mesh, { max_waiting: 20 });
    for (let round = 0; round < 30; round++) {
      const idempotency = (n: number) => ({ scope: id, key: `${round} ${n}` });
      for (let n = 0; n < 8; n++) {
        const input = submission({ kind: "build" }, { owner: id, idempotency: idempotency(n) });
        await mesh.call("submit_task", input, `token:${id}`);
      }
      mesh.now += 1_000;
      await Promise.all(mesh.cells.map((cell) => cell.tick()));
      await mesh.drain();
    }
    const waiting = mesh.cells.map(({ registry }) => registry.tasks.waiting.queuedOf(id));
    expect(sum(waiting)).toBe(20);
    expect(Math.max(...waiting)).toBe(5);
  });

  it("CE31 a cell takes its share of max_bytes, and one task of up to the whole", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    const { id } = await createToken(mesh, { max_bytes: 4_000_000 });
    const submit = async (key: string, bytes: number) =>
      codeOf(
        await mesh.call(
          "submit_task",
          submission(
            { kind: "build", payload: "x".repeat(bytes) },
            { owner: id, idempotency: { scope: id, key } },
          ),
          `token:${id}`,
        ),
      );
    const first = await Promise.all(Array.from({ length: 40 }, (_, n) => submit(`${n}`, 250_000)));
    const taken = first.filter((code) => code === "ok").length;
    expect(first.filter((code) => code !== "ok" && code !== "owner_bytes_full")).toEqual([]);
    // The shares of four cells have room for 3 of these tasks each.
    expect(taken).toBe(12);
    const other = await createToken(mesh, { max_bytes: 400_000 });
    const large = submission(
      { kind: "build", payload: "x".repeat(250_000) },
      { owner: other.id, idempotency: { scope: other.id, key: "a" } },
    );
    expect(codeOf(await mesh.call("submit_task", large, `token:${other.id}`))).toBe("ok");
  });

  it("CE32 the rate of a kind is that of all cells together", async () => {
    const mesh = await meshWithWorkers();
    const rate = { per_second: 4, burst: 4 };
    const settings = { attempt_timeout_seconds: null, concurrency: null, rate };
    must(await mesh.call("put_kind", { kind: "build", settings }));
    await submitMany(mesh, "admin");
    await mesh.drain();
    // The bucket of each cell begins with one.
    expect(sum(heldIn(mesh))).toBe(4);
    for (let second = 1; second <= 3; second++) {
      mesh.now += 1_000;
      for (const cell of mesh.cells) await cell.tick();
      await mesh.drain();
      expect(sum(heldIn(mesh))).toBe(4 + 4 * second);
    }
  });
});
