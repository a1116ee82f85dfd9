import { describe, expect, it } from "vitest";
import type { GatewayCommandName } from "../../src/contract/commands.ts";
import { BAD_CURSOR } from "../../src/protocol/bad-cursor.ts";
import { submission } from "../coordinator/submission.ts";
import { testKey } from "../coordinator/keys.ts";
import { ANNOUNCED } from "../coordinator/announced.ts";
import { must, mustFail } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { createToken, deliveryOf, sourceNamed, startedMesh } from "./mesh-facts.ts";

/** Every list with cursors of `?cursor=`, with the rest of its input. */
const LISTS = {
  list_tasks: { visibleTo: null },
  list_peers: {},
  list_audit: {},
  list_denied: {},
  list_deliveries: { source: "ci" },
  list_tokens: {},
} as const satisfies { readonly [K in GatewayCommandName]?: object };
type List = keyof typeof LISTS;
const NAMES = Object.keys(LISTS) as readonly List[];

/** What no list has given. Some are what a list gave in earlier versions, and what is inside a cursor. */
const HOSTILE = [
  "",
  "x",
  "0",
  "1",
  "5",
  "-1",
  "1e1",
  "1-2",
  "1-a",
  "c:",
  "c:1",
  "c:1-a",
  "s0u00.",
  "tasks-",
  "tasks-0",
  "tasks-01",
  "tasks-1e1",
  "tasks--1",
  "tasks-5 ",
  "Tasks-5",
  "tasks-c:x",
  `tasks-${"9".repeat(16)}`,
  "peers-1",
  `peers-${"A".repeat(32)}`,
  "denied-1-2",
  `denied-1-${"a".repeat(31)}`,
  "tokens-1-2",
  "audit-c:1-a~2-b.99",
  "constructor-5",
  "__proto__",
  "\u0000",
  `c:${"9".repeat(60)}-a`,
];

/** A mesh in which every list has several pages. */
async function filledMesh(cells: number): Promise<CellMesh> {
  const mesh = await startedMesh(new CellMesh({ cells, config: { authMode: "open" } }));
  must(await mesh.call("put_webhook_source", sourceNamed("ci")));
  const source = must(await mesh.call("open_webhook_source", { name: "ci" }));
  for (let n = 0; n < 8; n++) {
    mesh.now += 10;
    must(await mesh.call("enqueue_task", submission({ kind: "echo" })));
    must(await mesh.call("receive_delivery", deliveryOf(source, `delivery ${n}`)));
    await createToken(mesh);
    const { id: peerId, publicKey } = testKey(700 + n);
    const input = { ...ANNOUNCED, peerId, publicKey, session: `session ${n}` };
    const [answer] = await mesh.session({ name: "admit", input });
    expect(answer).toMatchObject({ ok: true });
    must(await mesh.call("revoke_peer", { id: testKey(900 + n).id, publicKey: undefined }));
  }
  return mesh;
}

/** A page of a list. In a mesh of one cell nothing is merged: its callers ask the cell itself. */
async function pageOf(mesh: CellMesh, name: List, cursor?: string) {
  const input = { limit: 2, ...LISTS[name], ...(cursor !== undefined && { cursor }) };
  if (mesh.config.cells > 1) return mesh.call(name, input);
  const [answer] = await mesh.cellOf(0).run("admin", [{ name, input }]);
  return answer;
}

const cursorOf = async (mesh: CellMesh, name: List): Promise<string> => {
  const { next_cursor: next } = must((await pageOf(mesh, name)) as never) as {
    next_cursor: string | null;
  };
  expect(next).not.toBeNull();
  return next ?? "";
};

describe.each([1, 4])("the cursors of lists with %i cells", (cells) => {
  it("CE44 each list takes its own, and refuses those of every other one", async () => {
    const mesh = await filledMesh(cells);
    const own = new Map<List, string>();
    for (const name of NAMES) own.set(name, await cursorOf(mesh, name));
    for (const name of NAMES)
      for (const [from, cursor] of own) {
        const answer = await pageOf(mesh, name, cursor);
        if (from === name) must(answer as never);
        else expect([from, name, mustFail(answer as never)]).toEqual([from, name, BAD_CURSOR]);
      }
  });

  it("CE44 none takes what no list has given", async () => {
    const mesh = await filledMesh(cells);
    for (const name of NAMES)
      for (const cursor of HOSTILE) {
        const answer = await pageOf(mesh, name, cursor);
        expect([name, cursor, mustFail(answer as never)]).toEqual([name, cursor, BAD_CURSOR]);
      }
  });
});

describe("cursors of the other number of cells", () => {
  it("CE44 a mesh of one cell refuses those of several, in each list", async () => {
    const [one, four] = [await filledMesh(1), await filledMesh(4)];
    for (const name of NAMES) {
      if (name === "list_tokens") continue;
      const cursor = await cursorOf(four, name);
      expect([name, mustFail((await pageOf(one, name, cursor)) as never)]).toEqual([
        name,
        BAD_CURSOR,
      ]);
    }
  });
});

describe("webhook deliveries of several cells", () => {
  it("CE40 are one list, the newest first, each once over all pages, and each is opened where it is", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    const source = must(await mesh.call("open_webhook_source", { name: "ci" }));
    const sent = Array.from({ length: 30 }, (_, n) => `delivery ${n}`);
    for (const [n, id] of sent.entries()) {
      mesh.now += n % 3;
      must(await mesh.call("receive_delivery", deliveryOf(source, id)));
    }
    const holders = mesh.cells.map(({ rows }) => rows(`SELECT id FROM webhook_deliveries`).length);
    expect(holders.filter((count) => count > 0)).toHaveLength(4);
    const listed: { id: string; delivery_id: string; received_at: string }[] = [];
    let cursor: string | undefined;
    do {
      const page = must(await mesh.call("list_deliveries", { source: "ci", limit: 7, cursor }));
      listed.push(...page.deliveries);
      cursor = page.next_cursor ?? undefined;
      if (cursor !== undefined) expect(page.deliveries).toHaveLength(7);
    } while (cursor !== undefined);
    expect(listed.map(({ delivery_id: id }) => id).toSorted()).toEqual(sent.toSorted());
    const times = listed.map(({ received_at: at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    for (const { id, delivery_id } of listed) {
      const opened = must(await mesh.call("open_delivery", { source: "ci", id }));
      expect(opened).toMatchObject({ id, deliveryId: delivery_id, source: "ci" });
    }
    const unknown = await mesh.call("open_delivery", { source: "ci", id: "0".repeat(32) });
    expect(mustFail(unknown).code).toBe("not_found");
  });

  it("CE42 without a cell name it in the list; a delivery that may be there is unavailable, and no other one", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 3 }));
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    const source = must(await mesh.call("open_webhook_source", { name: "ci" }));
    for (let n = 0; n < 20; n++)
      must(await mesh.call("receive_delivery", deliveryOf(source, `delivery ${n}`)));
    const all = must(await mesh.call("list_deliveries", { source: "ci", limit: 50 })).deliveries;
    mesh.transport.down.add(2);
    const part = must(await mesh.call("list_deliveries", { source: "ci", limit: 50 }));
    expect(part.missing_cells).toEqual([2]);
    const reachable = new Set(part.deliveries.map(({ id }) => id));
    expect(reachable.size).toBeLessThan(all.length);
    for (const { id } of all) {
      const answer = await mesh.call("open_delivery", { source: "ci", id });
      if (reachable.has(id)) expect(must(answer).id).toBe(id);
      else expect(mustFail(answer).code).toBe("unavailable");
    }
  });
});
