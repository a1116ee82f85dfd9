import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/base/clock.ts";
import { TASK_ERROR_CHARS_MAX } from "../../../src/protocol/constants.ts";
import { submission, testKey, type TestPeer } from "../mesh.ts";
import { endedTasks, smallMesh, submitAs } from "./small-mesh.ts";

const failed = (mesh: ReturnType<typeof smallMesh>["mesh"], payload: string | null): string => {
  const id = submitAs(mesh, "a", { payload });
  mesh.run("cancel_task", { id, visibleTo: null });
  return id;
};

/** As long as an error may be, in characters of three bytes. */
const LONG = "\u20ac".repeat(TASK_ERROR_CHARS_MAX);

const Step = fc.record({
  act: fc.constantFrom("submit", "submit", "end", "end", "retry", "age", "restart", "fail"),
  owner: fc.constantFrom("a", "b"),
  size: fc.nat(40),
});

type Mesh = ReturnType<typeof smallMesh>["mesh"];

/** Bytes by owner: of tasks that have not ended, and of those that have. */
const countedOf = ({ registry }: Mesh) => ({
  open: new Map(registry.tasks.ownerBytes.openOwners()),
  ended: new Map(registry.tasks.ownerBytes.ended()),
});

/** The same from the texts in the rows. */
function storedOf(mesh: Mesh) {
  const sums = (condition: string) =>
    new Map(
      mesh
        .rows(
          `SELECT owner, SUM(1024 + octet_length(payload) + octet_length(requirements) +
             COALESCE(octet_length(traceparent), 0) + COALESCE(octet_length(tracestate), 0) +
             CASE WHEN ended_at IS NULL THEN 0 ELSE octet_length(result) + COALESCE(octet_length(error), 0) + COALESCE(octet_length(message), 0)
                 + (SELECT COALESCE(SUM(octet_length(error)), 0) FROM attempts WHERE task_id = id) END) AS bytes
           FROM tasks WHERE ${condition} GROUP BY owner`,
        )
        .map(({ owner, bytes }) => [String(owner), Number(bytes)]),
    );
  return { open: sums("ended_at IS NULL"), ended: sums("ended_at IS NOT NULL") };
}

describe("payloads of ended tasks", () => {
  test("SB6 the payload is dropped a day after the task's end, and nothing else of the task", () => {
    const { mesh } = smallMesh();
    const id = failed(mesh, "x".repeat(100_000));
    const before = mesh.task(id);
    const used = mesh.registry.size();
    mesh.runFor(DAY - HOUR);
    expect(mesh.task(id)).toEqual(before);
    mesh.runFor(3 * HOUR);
    expect(mesh.task(id)).toEqual({ ...before, payload: null, payload_dropped: true });
    expect(used - mesh.registry.size()).toBeGreaterThan(90_000);
  });

  test("SB6 TASK_PAYLOAD_RETENTION_HOURS sets how long the payload stays", () => {
    const { mesh } = smallMesh({ payloadRetention: 3 * HOUR });
    const id = failed(mesh, "small");
    mesh.runFor(2 * HOUR);
    expect(mesh.task(id).payload).toBe("small");
    mesh.runFor(3 * HOUR);
    expect(mesh.task(id)).toMatchObject({ payload: null, payload_dropped: true });
  });

  test("SB6 the payload of a task that has not ended is never dropped", () => {
    const { mesh } = smallMesh();
    const id = submitAs(mesh, "a", { payload: "kept", deadline_seconds: 20 * 86_400 });
    mesh.runFor(10 * DAY);
    expect(mesh.task(id)).toMatchObject({ payload: "kept", payload_dropped: false });
  });

  test("SB7 a retry of a task without its payload is refused, also after a restart; one that never had a payload is retried", () => {
    const { mesh } = smallMesh();
    const [dropped, empty] = [failed(mesh, "x"), failed(mesh, null)];
    mesh.runFor(2 * DAY);
    mesh.restart();
    const error = mesh.errorOf("retry_task", { id: dropped, visibleTo: null });
    expect(error).toMatchObject({ code: "payload_dropped" });
    expect(mesh.run("retry_task", { id: empty, visibleTo: null })).toMatchObject({
      state: "queued",
      payload_dropped: false,
    });
  });

  test("SB7 a retry of many tasks skips those without their payloads, and says so", () => {
    const { mesh } = smallMesh();
    const old = failed(mesh, "x");
    mesh.runFor(2 * DAY);
    const fresh = failed(mesh, "y");
    const retried = mesh.run("retry_tasks", { ids: [old, fresh], visibleTo: null });
    expect(retried).toMatchObject({
      count: 1,
      task_ids: [fresh],
      skipped: [{ id: old, code: "payload_dropped" }],
    });
  });
});

describe("the bytes of an owner", () => {
  const LIMIT_OF_OWNER = 20_000_000 / 8;

  test.each([
    ["a token", "t", "api"],
    ["a peer", "9f86", "peer"],
    ["a webhook source", "admin", "webhook:ci"],
  ])(
    "SB8 %s that fills its share of the store gets owner_bytes_full, and others go on",
    (_, owner, source) => {
      const { mesh } = smallMesh();
      let accepted = 0;
      const submit = () =>
        mesh.execute(
          "enqueue_task",
          submission({ kind: "echo", payload: "x".repeat(250_000) }, { owner, source }),
        ).result;
      let last = submit();
      for (; last.ok; last = submit()) accepted++;
      expect(accepted).toBe(Math.floor(LIMIT_OF_OWNER / 251_100));
      expect(last).toMatchObject({
        error: { code: "owner_bytes_full", retryAfter: expect.any(Number) },
      });
      expect(last.ok ? "" : last.error.detail).toContain("max_bytes");
      submitAs(mesh, "another", { payload: "x".repeat(250_000) });
      submitAs(mesh, owner); // a small one still fits
      expect(mesh.registry.tasks.ownerBytes.openOf("another")).toBeGreaterThan(250_000);
    },
  );

  test("SB8 the admin token has no quota, and max_bytes of a token, an allowlist entry and a webhook source holds", () => {
    const { mesh } = smallMesh();
    for (let i = 0; i < 20; i++) submitAs(mesh, "admin", { payload: "x".repeat(250_000) });
    const token = mesh.run("create_token", { label: "", scope: "controller", max_bytes: 5_000 }).id;
    const refusedOf = (owner: string, source = "api") =>
      mesh.errorOf(
        "enqueue_task",
        submission({ kind: "echo", payload: "x".repeat(9_000) }, { owner, source }),
      ).code;
    expect(refusedOf(token)).toBe("owner_bytes_full");
    mesh.run("update_token", { id: token, max_bytes: 50_000 });
    submitAs(mesh, token, { payload: "x".repeat(9_000) });
    mesh.sql
      .exec(`INSERT INTO webhook_sources (name, scheme, sealed_secret, mapping, created_at, deliveries, max_bytes)
      VALUES ('ci', 'github', '', '{}', 0, 0, 4000)`);
    mesh.restart();
    expect(refusedOf("admin", "webhook:ci")).toBe("owner_bytes_full");
  });

  test("SB8 room comes back when tasks end, and a retry needs room, too", () => {
    const { mesh } = smallMesh();
    const owner = mesh.run("create_token", {
      label: "",
      scope: "controller",
      max_bytes: 300_000,
    }).id;
    const [id] = endedTasks(mesh, owner, 1);
    const open = submitAs(mesh, owner, { payload: "x".repeat(250_000) });
    expect(mesh.errorOf("retry_task", { id: id as string, visibleTo: null }).code).toBe(
      "owner_bytes_full",
    );
    mesh.run("cancel_task", { id: open, visibleTo: null });
    mesh.run("retry_task", { id: id as string, visibleTo: null });
  });

  test.each([
    ["fails", (peer: TestPeer) => peer.fail(LONG)],
    ["refuses", (peer: TestPeer) => peer.refuse(LONG.slice(0, 500))],
  ])(
    "SB3 what a peer that %s says about a task counts among its owner's ended tasks",
    (_, giveUp) => {
      const { mesh } = smallMesh();
      const ids = Array.from({ length: 10 }, () =>
        submitAs(mesh, "a", { max_attempts: 20, deadline_seconds: 86_400 }),
      );
      const peers = Array.from({ length: 4 }, (_each, n) => mesh.join(testKey(n)));
      for (let minute = 0; minute < 60; minute++) {
        for (const peer of peers)
          while (peer.offers.length > 0) {
            const offered = mesh.registry.tasks.get(peer.offer.task_id);
            if (offered?.state === "leased" && offered.fence === peer.offer.fence) {
              peer.accept();
              giveUp(peer);
            }
            peer.offers.shift();
          }
        mesh.runFor(MINUTE);
      }
      for (const id of ids) mesh.attempt("cancel_task", { id, visibleTo: null });
      const [said] = mesh.rows(`SELECT SUM(octet_length(error)) AS bytes FROM attempts`);
      expect(Number(said?.["bytes"])).toBeGreaterThan(10_000);
      const stored = storedOf(mesh);
      expect(countedOf(mesh)).toEqual(stored);
      expect(stored.ended.get("a")).toBeGreaterThan(Number(said?.["bytes"]));
      mesh.restart();
      expect(countedOf(mesh)).toEqual(stored);
    },
  );

  test("SB9 what owners have is counted right after any submissions, ends, retries, removals, failures and restarts", () => {
    fc.assert(
      fc.property(fc.array(Step, { minLength: 5, maxLength: 60 }), (steps) => {
        const { mesh } = smallMesh();
        const ids: string[] = [];
        for (const { act, owner, size } of steps) {
          const id = ids[size % Math.max(1, ids.length)];
          if (act === "submit") ids.push(submitAs(mesh, owner, { payload: "é".repeat(size) }));
          else if (act === "age") mesh.runFor(size * HOUR);
          else if (act === "restart") mesh.restart();
          else if (act === "fail")
            expect(() =>
              mesh.registry.transaction(() => {
                submitAs(mesh, owner, { payload: "lost" });
                if (id !== undefined) mesh.execute("cancel_task", { id, visibleTo: null });
                throw new Error("undone");
              }),
            ).toThrow("undone");
          else if (id !== undefined)
            mesh.execute(act === "end" ? "cancel_task" : "retry_task", { id, visibleTo: null });
          expect(countedOf(mesh)).toEqual(storedOf(mesh));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("SB8 many small tasks count, too: 1,024 bytes each", () => {
    const { mesh } = smallMesh();
    const owner = mesh.run("create_token", {
      label: "",
      scope: "controller",
      max_bytes: 10_000,
    }).id;
    let accepted = 0;
    while (mesh.execute("enqueue_task", submission({ kind: "echo" }, { owner })).result.ok)
      accepted++;
    expect(accepted).toBeLessThan(10);
  });
});
