import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowthHistory, KEYS, PEERS, type Act } from "./growth-history.ts";

const peer = fc.nat({ max: PEERS - 1 });
const cell = fc.nat({ max: 6 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom("join", "leave", "observe", "work"), peer }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("revoke", "readmit"), peer }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("submit"), key: fc.nat({ max: KEYS - 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("submit_plain") }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("cells"), cells: fc.constantFrom(1, 2, 4, 7) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("crash", "down", "up"), cell }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("tick") }) },
);

const RUNS = Number(process.env["CELL_HISTORIES"] ?? 60);

describe("a mesh whose number of cells changes", () => {
  it(
    "CE100 CE101 CE104 CE106 loses nothing, accepts nothing twice and admits no revoked peer, whatever happens to calls and cells",
    { timeout: 600_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer(),
          fc.constantFrom(1, 4, 7),
          fc.array(act, { minLength: 5, maxLength: 50 }),
          async (seed, cells, acts) => {
            const history = new GrowthHistory(seed, cells);
            await history.begin();
            for (const one of acts) await history.act(one);
            await history.end();
            expect(history.wronglyAdmitted).toEqual([]);
            checkTasks(history);
            checkPeers(
              history,
              acts.some(({ type }) => type === "crash"),
            );
          },
        ),
        { numRuns: RUNS },
      );
    },
  );
});

/** Every key has made one task, if it has made any, and every answer named it. */
function checkTasks({ mesh, answered }: GrowthHistory): void {
  const made = mesh.cells.flatMap((each) =>
    each
      .rows(`SELECT id, payload FROM tasks`)
      .map(({ id, payload }) => [String(id), String(payload)]),
  );
  for (let key = 0; key < KEYS; key++) {
    const ids = made.filter(([, payload]) => payload === `"key ${key}"`).map(([id]) => id);
    expect(new Set(ids).size).toBeLessThanOrEqual(1);
    const named = [...(answered.get(key) ?? [])];
    if (named.length > 0) expect(named).toEqual([...new Set(ids)]);
  }
}

/** Every peer is at its home and nowhere else, with all that it has done. */
function checkPeers({ mesh, peers, revoked, home }: GrowthHistory, hasCrashed: boolean): void {
  for (const [index, { id }] of peers.entries()) {
    const at = mesh.cells.flatMap(({ number, registry }) => {
      const record = registry.peers.get(id);
      return record === null ? [] : [{ cell: number, record }];
    });
    expect(at.length).toBeLessThanOrEqual(1);
    const lists = mesh.cells.filter(({ registry }) => registry.allowlist.lists(id));
    expect(lists.map(({ number }) => number)).toEqual([home(id)]);
    const [only] = at;
    if (only === undefined) continue;
    expect(only.cell).toBe(home(id));
    if (revoked.has(index)) {
      expect(only.record.state).toBe("revoked");
      expect(mesh.cellOf(home(id)).registry.denylist.reasonOf(id)).toBe("revoked");
    }
    const query = `SELECT COUNT(*) AS done FROM attempts WHERE peer_id = '${id}' AND state = 'succeeded'`;
    const done = mesh.cells.reduce((sum, each) => sum + Number(each.rows(query)[0]?.["done"]), 0);
    // A crash loses measurements of the last seconds.
    if (hasCrashed) expect(only.record.successes).toBeLessThanOrEqual(done);
    else expect(only.record.successes).toBe(done);
  }
  for (const { registry } of mesh.cells) expect(registry.peerMoves.countDeparted()).toBe(0);
}
