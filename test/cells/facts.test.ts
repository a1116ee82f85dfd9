import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import { FACT_TABLES, FACT_TABLE_NAMES } from "../../src/registry/fact-tables.ts";
import type { CellMessage } from "../../src/contract/cell-messages.ts";
import type { CommandName, Input } from "../../src/contract/commands.ts";
import { testKey } from "../coordinator/keys.ts";
import { submission } from "../coordinator/submission.ts";
import { must, mustFail } from "../must.ts";
import { nodeSql } from "../node-sql.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { CellMesh } from "./cell-mesh.ts";
import {
  codeOf,
  createToken,
  factsOf,
  join,
  sourceNamed,
  startedMesh,
  verdictsOf,
} from "./mesh-facts.ts";
import { faultsAmong, turn, type Fault } from "./transport.ts";

const mesh4 = (more: object = {}) => startedMesh(new CellMesh({ cells: 4, ...more }));
const all = (verdict: string) => [verdict, verdict, verdict, verdict];

describe("the facts of a mesh of several cells", () => {
  it("CE20 name every column of their tables: each is copied, or each cell has it for itself", () => {
    const sql = nodeSql();
    openRegistry(sql);
    for (const table of FACT_TABLE_NAMES) {
      const { key, copied, own } = FACT_TABLES[table];
      const columns = sql.exec(`SELECT name FROM pragma_table_info('${table}')`);
      expect([...key, ...copied, ...Object.keys(own)].toSorted(), table).toEqual(
        columns.map(({ name }) => String(name)).toSorted(),
      );
    }
  });

  it("CE21 a token is valid in every cell once it is created, and in none once it is revoked", async () => {
    const mesh = await mesh4();
    const token = await createToken(mesh);
    expect(await verdictsOf(mesh, token)).toEqual(all("ok ok"));
    must(await mesh.call("revoke_token", { id: token.id }));
    expect(await verdictsOf(mesh, token)).toEqual(all("unauthorized unauthorized"));
  });

  it("CE22 revoking a token while a cell is down is not confirmed, and holds there before it serves again", async () => {
    const mesh = await mesh4();
    const token = await createToken(mesh);
    mesh.transport.down.add(2);
    expect(mustFail(await mesh.call("revoke_token", { id: token.id })).code).toBe(
      "revoke_unconfirmed",
    );
    expect(mustFail(await mesh.call("revoke_token", { id: token.id })).code).toBe(
      "revoke_unconfirmed",
    );
    mesh.transport.down.delete(2);
    mesh.cellOf(2).crash();
    expect(await verdictsOf(mesh, token)).toEqual(all("unauthorized unauthorized"));
    await mesh.settle();
    must(await mesh.call("revoke_token", { id: token.id }));
    expect(factsOf(mesh.cellOf(2))).toEqual(factsOf(mesh.cellOf(0)));
  });

  it("CE22 what is repeated to a cell that was cut off takes the token away there, too", async () => {
    const mesh = await mesh4();
    const token = await createToken(mesh);
    mesh.transport.faultOf = (to, names) =>
      to === 2 && names.includes("receive_messages") ? "request_lost" : "none";
    expect(codeOf(await mesh.call("revoke_token", { id: token.id }))).toBe("revoke_unconfirmed");
    mesh.transport.faultOf = () => "none";
    await mesh.settle();
    expect(await verdictsOf(mesh, token)).toEqual(all("unauthorized unauthorized"));
  });

  it("CE23 what grants something succeeds while a cell is down; the cell asks for a token that it does not know", async () => {
    const mesh = await mesh4();
    mesh.transport.faultOf = (to, names) =>
      to === 3 && names.includes("receive_messages") ? "request_lost" : "none";
    const token = await createToken(mesh);
    expect(await verdictsOf(mesh, token)).toEqual(all("ok ok"));
    mesh.transport.down.add(0);
    const unknown = { id: "0123456789abcdef", hash: token.hash };
    expect((await verdictsOf(mesh, unknown)).slice(1)).toEqual(
      all("unavailable unavailable").slice(1),
    );
    expect((await verdictsOf(mesh, token)).slice(1)).toEqual(all("ok ok").slice(1));
  });

  it("CE24 a new cell serves nobody before it knows all facts, and goes on with them when cell 0 is lost", async () => {
    const mesh = new CellMesh({ cells: 1 });
    const token = await createToken(mesh);
    mesh.setCells(4);
    mesh.transport.faultOf = (_, names) =>
      names.includes("receive_messages") || names.includes("get_facts") ? "request_lost" : "none";
    await mesh.call("get_auth_mode", {});
    mesh.cellOf(3);
    expect((await verdictsOf(mesh, token)).slice(1)).toEqual(
      all("unavailable unavailable").slice(1),
    );
    mesh.transport.faultOf = () => "none";
    expect(await verdictsOf(mesh, token)).toEqual(all("ok ok"));
    mesh.transport.down.add(0);
    mesh.cellOf(1).crash();
    expect((await verdictsOf(mesh, token)).slice(1)).toEqual(all("ok ok").slice(1));
  });

  it("CE24 a cell that finds that it has missed a change serves nobody before it has learned all facts anew", async () => {
    const mesh = await mesh4();
    const token = await createToken(mesh);
    const { registry } = mesh.cellOf(2);
    const known = registry.facts.version ?? 0;
    const kind = { table: "kind_settings", key: ["gone"], row: null } as const;
    const message = {
      type: "facts",
      after: known + 5,
      version: known + 6,
      changes: [kind],
    } as const;
    await send(mesh, 2, message);
    expect(registry.facts.version).toBeNull();
    mesh.transport.down.add(0);
    expect((await verdictsOf(mesh, token))[2]).toBe("unavailable unavailable");
    mesh.transport.down.delete(0);
    // What cell 0 says is older than the change that was missed.
    expect((await verdictsOf(mesh, token))[2]).toBe("unavailable unavailable");
    for (let n = 0; n < 6; n++)
      must(await mesh.call("put_kind", { kind: `k${n}`, settings: SETTINGS }));
    expect(await verdictsOf(mesh, token)).toEqual(all("ok ok"));
    expect(factsOf(mesh.cellOf(2))).toEqual(factsOf(mesh.cellOf(0)));
  });

  it("CE24 facts that were read before a change which the new cell has left out are read again", async () => {
    const mesh = await mesh4();
    const { registry } = mesh.cellOf(1);
    registry.facts.forgetAll(0);
    const read = { version: registry.facts.neededVersion, changes: [] };
    const change = { table: "kind_settings", key: ["a"], row: null } as const;
    const message = { type: "facts", after: 0, version: 1, changes: [change] } as const;
    // The message arrives while the pages are on their way.
    const input = { from: 0, messages: [{ seq: 1_000, message }] };
    await mesh.cellOf(1).run("cell:0", [{ name: "receive_messages", input }]);
    const learn = (version: number) =>
      mesh.cellOf(1).run("mesh", [{ name: "learn_facts", input: { ...read, version } }]);
    expect(await learn(0)).toEqual([{ ok: true, value: { learned: false } }]);
    expect(await learn(1)).toEqual([{ ok: true, value: { learned: true } }]);
  });

  it("CE25 tightening the auth mode ends the sessions of all cells before it returns", async () => {
    const mesh = await mesh4({ config: { authMode: "open" } });
    const keys = Array.from({ length: 12 }, (_, n) => testKey(500 + n));
    for (const key of keys) expect(codeOf(await join(mesh, key))).toBe("ok");
    must(await mesh.call("set_auth_mode", { mode: "allowlist" }));
    for (const { id } of keys)
      expect(mesh.inbox(id).endFault).toMatchObject({ code: "not_allowed" });
    expect(codeOf(await join(mesh, testKey(520)))).toBe("not_allowed");
    mesh.transport.down.add(1);
    expect(codeOf(await mesh.call("set_auth_mode", { mode: "open" }))).toBe("ok");
    expect(codeOf(await mesh.call("set_auth_mode", { mode: "allowlist" }))).toBe(
      "revoke_unconfirmed",
    );
  });

  it("CE26 revoking a token cancels its tasks in every cell, unless they are kept", async () => {
    const mesh = await mesh4();
    const tokens = [await createToken(mesh), await createToken(mesh)] as const;
    const submitted = await Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        const { id } = tokens[(n % 2) as 0 | 1];
        const key = { scope: id, key: `${n}` };
        const input = submission({ kind: "echo" }, { owner: id, idempotency: key });
        return must(await mesh.call("submit_task", input, `token:${id}`)).task.id;
      }),
    );
    must(await mesh.call("revoke_token", { id: tokens[0].id }));
    must(await mesh.call("revoke_token", { id: tokens[1].id, keepTasks: true }));
    const states = await Promise.all(
      submitted.map(async (id) => must(await mesh.call("get_task", { id, visibleTo: null })).state),
    );
    expect(states).toEqual(submitted.map((_, n) => (n % 2 === 0 ? "cancelled" : "queued")));
  });

  it("CE33 a list of tokens has the last use of each in any cell, and is answered without a cell that is down", async () => {
    const mesh = await mesh4();
    const { id, hash } = await createToken(mesh);
    const lastUse = async () =>
      must(await mesh.call("list_tokens", { limit: 10 })).tokens.find((token) => token.id === id)
        ?.last_used_at;
    const useIn = (cell: number) =>
      mesh.callBetween(cell, "anonymous", [{ name: "authenticate", input: { id, hash } }]);
    expect(await lastUse()).toBeNull();
    await useIn(2);
    const first = new Date(mesh.now).toISOString();
    expect(await lastUse()).toBe(first);
    mesh.now += 3_600_000;
    await useIn(3);
    expect(await lastUse()).toBe(new Date(mesh.now).toISOString());
    mesh.transport.down.add(3);
    expect(await lastUse()).toBe(first);
  });

  it("CE35 the secret of a peer's callbacks is rotated in cell 0, and signs in the peer's cell", async () => {
    const mesh = await mesh4({ config: { authMode: "open" } });
    const keys = Array.from({ length: 8 }, (_, n) => testKey(540 + n));
    const key = keys.find(({ id }) => homeOf(mesh.known, id) !== 0) ?? testKey(540);
    const asked = { owner: key.id, url: "https://a.example/", visibleTo: null };
    expect(codeOf(await mesh.call("get_callback_secret", asked))).toBe("not_found");
    must(await join(mesh, key));
    const before = must(await mesh.call("get_callback_secret", asked));
    const rotated = must(
      await mesh.call("rotate_callback_secret", { ...asked, overlapSeconds: 60 }),
    );
    expect([before.version, rotated.version]).toEqual([1, 2]);
    const { registry } = mesh.cellOf(homeOf(mesh.known, key.id));
    expect(registry.callbackRotations.get(key.id, "https://a.example")?.version).toBe(2);
  });

  it("CE20 every cell has the facts of cell 0 in the end, however commands, messages, faults and crashes mix", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(ACT, { maxLength: 60 }), async (seed, acts) => {
        const mesh = await startedMesh(new CellMesh({ cells: 3, seed }));
        mesh.transport.isHeld = true;
        mesh.transport.faultOf = () => FAULTS[Math.floor(mesh.random() * FAULTS.length)] as Fault;
        for (const act of acts) {
          void perform(mesh, act);
          await turn();
        }
        mesh.transport.faultOf = () => "none";
        mesh.transport.isHeld = false;
        await mesh.drain();
        await mesh.settle();
        // A cell that no caller needs any more learns with its next command.
        for (const cell of mesh.cells)
          await mesh.callBetween(cell.number, "admin", [{ name: "list_kinds", input: {} }]);
        const expected = factsOf(mesh.cellOf(0));
        for (const cell of mesh.cells) expect(factsOf(cell), `${cell.number}`).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});

const SETTINGS = { attempt_timeout_seconds: 5, concurrency: 2, rate: null };

/** Has a cell take one message of cell 0. */
async function send(mesh: CellMesh, to: number, message: CellMessage): Promise<void> {
  const seq = mesh.cellOf(to).registry.cellMessages.received(0) + 1;
  const input = { from: 0, messages: [{ seq, message }] };
  await mesh.callBetween(to, "cell:0", [{ name: "receive_messages", input }]);
}

const FAULTS = faultsAmong(3);

const NAMES = ["a", "b"];
const ACT = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ act: "step" } as const) },
  { weight: 2, arbitrary: fc.constant({ act: "tick" } as const) },
  { weight: 3, arbitrary: fc.constant({ act: "create" } as const) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("revoke" as const), n: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("limit" as const), n: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("source" as const), n: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("unsource" as const), n: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("kind" as const), n: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("unkind" as const), n: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("mode" as const), n: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("rotate" as const), n: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("cells" as const), n: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("use" as const), n: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("crash" as const), n: fc.nat(2) }) },
);

type Act = typeof ACT extends fc.Arbitrary<infer T> ? T : never;

/** The commands go to cell 0 itself: only what cells say to each other is held up. */
async function perform(mesh: CellMesh, act: Act): Promise<void> {
  const rows = mesh.cellOf(0).rows("SELECT id FROM api_tokens ORDER BY created_at, id");
  const tokenAt = (n: number) => String(rows[n % Math.max(1, rows.length)]?.["id"] ?? "none");
  const run = async <K extends CommandName>(name: K, input: Input<K>): Promise<void> =>
    void (await mesh.cellOf(0).run("admin", [{ name, input }]));
  switch (act.act) {
    case "step":
      return void mesh.transport.step();
    case "tick":
      mesh.now += 3_000;
      for (const cell of mesh.cells) void cell.tick();
      return;
    case "use":
      return void (await mesh.callBetween(act.n, "admin", [{ name: "list_kinds", input: {} }]));
    case "create":
      return run("create_token", { label: "", scope: "controller" });
    case "revoke":
      return run("revoke_token", { id: tokenAt(act.n) });
    case "limit":
      return run("update_token", { id: tokenAt(act.n), max_waiting: act.n });
    case "source":
      return run("put_webhook_source", sourceNamed(NAMES[act.n] as string));
    case "unsource":
      return run("remove_webhook_source", { name: NAMES[act.n] as string });
    case "kind":
      return run("put_kind", { kind: NAMES[act.n] as string, settings: SETTINGS });
    case "unkind":
      return run("delete_kind", { kind: NAMES[act.n] as string });
    case "mode":
      return run("set_auth_mode", { mode: act.n === 0 ? "open" : "allowlist" });
    case "rotate": {
      const url = `https://${NAMES[act.n]}.example/`;
      const input = { owner: "admin", url, visibleTo: null, overlapSeconds: 60 };
      return run("rotate_callback_secret", input);
    }
    case "cells":
      mesh.setCells(1 + act.n);
      return run("list_kinds", {});
    case "crash":
      return mesh.cellOf(act.n).crash();
    default:
      return act satisfies never;
  }
}
