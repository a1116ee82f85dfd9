import { describe, expect, test } from "vitest";
import { isReadCommand } from "../../../src/contract/read-commands.ts";
import { COMMAND_CALLERS, type CommandName } from "../../../src/contract/commands.ts";
import { AUDIT } from "../../../src/coordinator/kernel/domains.ts";
import type { GroupedCommand } from "../../../src/coordinator/kernel/execute.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { KEYS, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

const submit = (deadlineSeconds = 3_600, key: string | null = null): GroupedCommand => ({
  name: "submit_task",
  input: submission(
    { kind: "echo", deadline_seconds: deadlineSeconds },
    { idempotency: key === null ? null : { scope: "api", key } },
  ),
  actor: "admin",
});
const finish = (peer: TestPeer): GroupedCommand => ({
  name: "finish_task",
  input: peer.successInput("done"),
  actor: `peer:${peer.id}`,
});

/** A database that counts transactions and fails from a given statement on. */
function watchedSql() {
  const database = nodeSql();
  const watched = { left: Number.POSITIVE_INFINITY, outermost: 0, depth: 0, writes: 0 };
  const sql: Sql = {
    exec(query, ...bindings) {
      if (--watched.left < 0) throw new Error("the disk is full");
      if (!query.startsWith("SELECT")) watched.writes++;
      return database.exec(query, ...bindings);
    },
    transaction(body) {
      if (watched.depth === 0) watched.outermost++;
      watched.depth++;
      try {
        return database.transaction(body);
      } finally {
        watched.depth--;
      }
    },
    size: () => database.size(),
  };
  return { sql, watched };
}

describe("commands that arrive together", () => {
  test("GC1 run in one transaction, and tasks are assigned once, after the last of them", () => {
    const { sql, watched } = watchedSql();
    const mesh = new TestMesh({ sql });
    mesh.join(A, { slots: 2 });
    watched.outermost = 0;
    const { executed, effects } = mesh.executeGroup([submit(), submit(), submit()]);
    expect(watched.outermost).toBe(1);
    expect(executed.flatMap((one) => one.effects)).toEqual([]);
    expect(effects.map(({ type }) => type)).toEqual(["offer", "offer"]);
    // The answers show the tasks as they are after the assignment.
    const states = executed.map(({ result }) => result.ok && (result.value as never)["task"]);
    expect(states).toMatchObject([{ state: "leased" }, { state: "leased" }, { state: "queued" }]);
  });

  test("GC1 one that is refused undoes only itself", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const { executed } = mesh.executeGroup([
      submit(3_600, "key"),
      submit(60, "key"),
      submit(3_600, "key"),
      submit(3_600, "other"),
    ]);
    expect(executed.map(({ result }) => (result.ok ? "ok" : result.error.code))).toEqual([
      "ok",
      "idempotency_mismatch",
      "ok",
      "ok",
    ]);
    expect(mesh.rows("SELECT COUNT(*) AS tasks FROM tasks")).toEqual([{ tasks: 2 }]);
  });

  test("GC1 one sees what those before it wrote", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    const { executed } = mesh.executeGroup([
      finish(peer),
      {
        name: "progress_task",
        input: { ...peer.attempt(), progress: 1 },
        actor: `peer:${peer.id}`,
      },
      { name: "cancel_task", input: { id, visibleTo: null }, actor: "admin" },
    ]);
    expect(executed.map(({ result }) => (result.ok ? "ok" : result.error.code))).toEqual([
      "ok",
      "lease_lost",
      "task_ended",
    ]);
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "done" });
  });

  test("GC4 a group whose database fails anywhere changes nothing, in the rows and in memory", () => {
    let failures = 0;
    for (let statement = 0; ; statement++) {
      const { sql, watched } = watchedSql();
      const mesh = new TestMesh({ sql });
      const peer = mesh.join(A);
      mesh.submit();
      mesh.join(B, { slots: 2 });
      const before = mesh.contents();
      const commands = [submit(), finish(peer), submit(60, "key"), submit(90, "key")];
      watched.left = statement;
      let failed = false;
      try {
        mesh.executeGroup(commands);
      } catch (thrown) {
        expect(thrown).toEqual(new Error("the disk is full"));
        failed = true;
      }
      watched.left = Number.POSITIVE_INFINITY;
      if (!failed) break;
      failures++;
      expect(mesh.contents()).toBe(before);
      // Each alone then does what it would have done, and memory agrees with the rows.
      const [one, two] = [mesh.executeGroup([finish(peer)]), mesh.executeGroup([submit()])];
      expect([...one.executed, ...two.executed].map(({ result }) => result.ok)).toEqual([
        true,
        true,
      ]);
      const inMemory = mesh.registry.tasks.waiting.length;
      mesh.restart();
      expect(mesh.registry.tasks.waiting.length).toBe(inMemory);
    }
    expect(failures).toBeGreaterThan(8);
  });
});

describe("what is written behind", () => {
  test("GC7 a crash loses the newest choices and outcomes, and the number of held tasks is counted again", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 3 });
    const early = mesh.submit();
    peer.finish();
    mesh.registry.measurements.flush();
    const late = mesh.submit();
    peer.finish();
    mesh.submit();
    mesh.restart();
    mesh.run("tick", {});
    const { held, successes } = mesh.registry.peers.get(A.id) ?? {};
    expect([held, successes]).toEqual([1, 1]);
    expect(mesh.run("why_task", { id: early.id, visibleTo: null }).attempt).toBe(1);
    expect(mesh.errorOf("why_task", { id: late.id, visibleTo: null }).code).toBe("not_found");
    // The tasks themselves, and what was answered, are as they were.
    expect([early, late].map(({ id }) => mesh.task(id).state)).toEqual(["succeeded", "succeeded"]);
    peer.finish();
    expect(mesh.registry.peers.get(A.id)?.held).toBe(0);
  });

  test("GC7 a crash between a disconnect and the next write leaves no task with the peer", () => {
    const mesh = new TestMesh();
    mesh.join(A, { slots: 2 });
    mesh.submit();
    mesh.run("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false });
    mesh.restart();
    expect(mesh.registry.peers.get(A.id)).toMatchObject({ state: "stale", held: 0 });
  });
});

const NAMES = Object.keys(COMMAND_CALLERS) as CommandName[];

describe("commands that only read", () => {
  test.for(NAMES.filter(isReadCommand))("%s is not audited", (name) => {
    expect(AUDIT).not.toHaveProperty(name);
  });

  test("GC5 write nothing and open no transaction", () => {
    const { sql, watched } = watchedSql();
    const mesh = new TestMesh({ sql });
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    mesh.registry.measurements.flush();
    const from = { peerId: peer.id, epoch: peer.epoch };
    const page = { limit: 10 };
    const inputs: Readonly<Record<string, object>> = {
      authenticate: { id: "x", hash: "x" },
      get_peer: { id: A.id },
      get_score: { id: A.id },
      get_rtt: { id: A.id, other: A.id },
      get_map: {},
      get_task: { id, visibleTo: null },
      why_task: { id, visibleTo: null },
      trace_task: { id, visibleTo: null },
      read_result: { id, visibleTo: null },
      query_task: { ...from, id },
      read_own_result: { id, peerId: peer.id },
      read_payload: { taskId: id, fence: 1, peerId: peer.id },
      list_tasks: { ...page, visibleTo: null },
      list_failures: { visibleTo: null },
      preview_tasks: { act: "retry", filter: { kind: "echo" }, visibleTo: null },
      list_peers: page,
      list_audit: page,
      list_tokens: page,
      get_callback_secret: { url: "https://one.example/", owner: "admin", visibleTo: null },
      list_denied: page,
      list_deliveries: { ...page, source: "s" },
      list_refused: { source: "s" },
      open_delivery: { source: "s", id: "x" },
      get_webhook_source: { name: "s" },
      open_webhook_source: { name: "s" },
    };
    watched.writes = 0;
    watched.outermost = 0;
    for (const name of NAMES.filter(isReadCommand)) mesh.read(name, inputs[name] ?? {});
    expect([watched.writes, watched.outermost]).toEqual([0, 0]);
  });
});
