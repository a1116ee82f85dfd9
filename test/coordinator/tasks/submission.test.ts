import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { DAY, MINUTE } from "../../../src/base/clock.ts";
import { batchItemKey } from "../../../src/coordinator/tasks/submit.ts";
import {
  IDEMPOTENCY_RETENTION,
  QUEUE_MAX,
  TASK_PAYLOAD_BYTES_MAX,
} from "../../../src/protocol/constants.ts";
import { nodeSql } from "../../node-sql.ts";
import { KEYS, START, submission, TestMesh } from "../mesh.ts";
import { exactJsonOf, JsonText } from "../../../src/base/json-text/json-text.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { sha256 } from "../../../src/crypto/primitives.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";

const [A] = KEYS;
const ECHO = { kind: "echo", payload: { text: "hello" } };
const submissionWithKey = (key: string, task: SubmitTaskInput = ECHO, scope = "admin") =>
  submission(task, { idempotency: { key, scope } });

describe("submitting a task", () => {
  test("AS1 a task is committed when the answer is sent: another database connection can read it", () => {
    const folder = mkdtempSync(join(tmpdir(), "muster-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "registry.sqlite");
    const accepted = new TestMesh({ sql: nodeSql(new DatabaseSync(path)) }).submit(ECHO);
    const afterwards = new TestMesh({ sql: nodeSql(new DatabaseSync(path)) });
    expect(afterwards.task(accepted.id)).toEqual(accepted);
  });

  test("AS1 a task keeps all fields of its submission", () => {
    const mesh = new TestMesh();
    const asked = {
      kind: "render",
      payload: { frames: [1, 2], title: "é\u0000", nothing: null },
      requirements: { capabilities: ["gpu"], peer_id: A.id, min_score: 0.25 },
      priority: -7,
      concurrency: { key: "db 7", limit: 2 },
      max_attempts: 9,
      lease_seconds: 1.5,
      backoff: { first_seconds: 2, max_seconds: 3.5 },
      max_interruptions: 7,
      attempt_timeout_seconds: 12.5,
    };
    const task = mesh.submit({ ...asked, deadline_seconds: 90 });
    expect(mesh.task(task.id)).toEqual({
      ...asked,
      id: task.id,
      state: "queued",
      payload_dropped: false,
      traceparent: null,
      tracestate: null,
      source: "api",
      owner: "admin",
      created_at: new Date(START).toISOString(),
      not_before: new Date(START).toISOString(),
      deadline_at: new Date(START + 90_000).toISOString(),
      ended_at: null,
      peer_id: null,
      progress: null,
      message: null,
      result: null,
      result_sealed: false,
      result_bytes: null,
      result_url: null,
      result_sha256: null,
      result_fence: null,
      result_signature: null,
      error: null,
      attempts: [],
      attempts_used: 0,
      retries: 0,
      interruptions: 0,
      callback: null,
    });
  });

  test("AS1 a task waits in the queue while there is no peer, and goes to the first one that joins", () => {
    const mesh = new TestMesh();
    const task = mesh.submit(ECHO);
    mesh.runFor(30 * MINUTE);
    const peer = mesh.join(A);
    expect(peer.offer).toEqual({
      task_id: task.id,
      fence: 1,
      kind: "echo",
      payload: exactJsonOf({ text: "hello" }),
      attempt: 1,
      lease_seconds: 60,
      attempt_timeout_seconds: 3_600,
      upload: expect.any(String),
    });
  });

  test("each task has its own ID", () => {
    const mesh = new TestMesh();
    const ids = Array.from({ length: 50 }, () => mesh.submit().id);
    expect(new Set(ids).size).toBe(50);
  });

  test("a task whose payload exceeds the limit is refused; the limit counts bytes of JSON", () => {
    const mesh = new TestMesh();
    const payload = (text: string) => submission({ kind: "echo", payload: text });
    const fits = "é".repeat(TASK_PAYLOAD_BYTES_MAX / 2 - 1);
    expect(mesh.errorOf("submit_task", payload(`${fits}x`)).code).toBe("payload_too_large");
    expect(mesh.run("submit_task", payload(fits)).task.state).toBe("queued");
  });
});

describe("an idempotency key", () => {
  test("AS12 a repeated idempotency key returns the first task in its present state and creates none", () => {
    const mesh = new TestMesh();
    const first = mesh.run("submit_task", submissionWithKey("k"));
    const peer = mesh.join(A);
    peer.finish("hello");
    const again = mesh.run("submit_task", submissionWithKey("k"));
    expect([first.duplicate, again.duplicate]).toEqual([false, true]);
    expect(again.task).toMatchObject({
      id: first.task.id,
      state: "succeeded",
      result: exactJsonOf("hello"),
    });
    expect(mesh.rows("SELECT id FROM tasks")).toHaveLength(1);
  });

  test("AS131 the hash of an older mesh is that of the parsed payload, and is still compared", () => {
    const mesh = new TestMesh();
    const input = submissionWithKey("k", { kind: "echo", payload: new JsonText('{ "n": 1.0 }') });
    const { id } = mesh.run("submit_task", input).task;
    const { task } = input;
    const old = JSON.stringify({ ...task, payload: { n: 1 } });
    const request = { taskId: id, requestHash: toHex(sha256(utf8(old))) };
    mesh.registry.idempotency.put("admin", "k", request, mesh.now + MINUTE);
    expect(mesh.run("submit_task", input).duplicate).toBe(true);
    const other = submissionWithKey("k", { kind: "echo", payload: { n: 2 } });
    expect(mesh.errorOf("submit_task", other).code).toBe("idempotency_mismatch");
  });

  test("BK36 the hash of an older mesh has the number of attempts that was the default then", () => {
    const mesh = new TestMesh();
    const input = submissionWithKey("k", { kind: "echo", payload: 1 });
    const { id } = mesh.run("submit_task", input).task;
    const old = JSON.stringify({ ...input.task, payload: 1, max_attempts: 3 });
    const request = { taskId: id, requestHash: toHex(sha256(utf8(old))) };
    mesh.registry.idempotency.put("admin", "k", request, mesh.now + MINUTE);
    expect(mesh.run("submit_task", input).duplicate).toBe(true);
    const other = submissionWithKey("k", { kind: "echo", payload: 1, max_attempts: 4 });
    expect(mesh.errorOf("submit_task", other).code).toBe("idempotency_mismatch");
  });

  test("AS12 an idempotency key with another request gets idempotency_mismatch", () => {
    const mesh = new TestMesh();
    mesh.run("submit_task", submissionWithKey("k"));
    for (const other of [
      { ...ECHO, kind: "other" },
      { ...ECHO, payload: { text: "hello " } },
      { ...ECHO, priority: 1 },
    ])
      expect(mesh.errorOf("submit_task", submissionWithKey("k", other)).code).toBe(
        "idempotency_mismatch",
      );
  });

  test("AS12 a request that spells out the default values equals one that omits them", () => {
    const mesh = new TestMesh();
    mesh.run("submit_task", submissionWithKey("k"));
    const wordy = { payload: ECHO.payload, priority: 0, kind: "echo", max_attempts: 5 };
    expect(mesh.run("submit_task", submissionWithKey("k", wordy)).duplicate).toBe(true);
  });

  test("AS12 an idempotency key belongs to its owner: it never returns the task of another", () => {
    const mesh = new TestMesh();
    const mine = mesh.run("submit_task", submissionWithKey("k"));
    const other = mesh.run("submit_task", submissionWithKey("k", ECHO, "somebody else"));
    expect(other.duplicate).toBe(false);
    expect(other.task.id).not.toBe(mine.task.id);
  });

  test("AS12 a repeated webhook delivery returns the first task even if the mapping has changed", () => {
    const mesh = new TestMesh();
    const more = { source: "webhook:ci", idempotency: { key: "msg_1", scope: "webhook:ci" } };
    const first = mesh.run("submit_task", submission(ECHO, more));
    const again = mesh.run("submit_task", submission({ ...ECHO, kind: "other" }, more));
    expect(again).toMatchObject({ duplicate: true, task: { id: first.task.id, kind: "echo" } });
  });

  test("AS12 an idempotency key is kept for 30 days and can be used again afterwards", () => {
    const mesh = new TestMesh();
    const longTask = { ...ECHO, deadline_seconds: (30 * DAY) / 1_000 };
    const first = mesh.run("submit_task", submissionWithKey("k", longTask)).task.id;
    mesh.advanceClock(IDEMPOTENCY_RETENTION - 1);
    expect(mesh.run("submit_task", submissionWithKey("k", longTask)).task.id).toBe(first);
    mesh.advanceClock(1);
    expect(mesh.run("submit_task", submissionWithKey("k", longTask)).duplicate).toBe(false);
  });

  test("AS12 a refused request does not use up its idempotency key", () => {
    const mesh = new TestMesh();
    const huge = { kind: "echo", payload: { text: "x".repeat(TASK_PAYLOAD_BYTES_MAX) } };
    mesh.errorOf("submit_task", submissionWithKey("k", huge));
    expect(mesh.run("submit_task", submissionWithKey("k")).duplicate).toBe(false);
  });
});

describe("a full queue", () => {
  function fullMesh(): { mesh: TestMesh; first: string } {
    const mesh = new TestMesh();
    const first = mesh.run("submit_task", submissionWithKey("first")).task.id;
    mesh.fillQueue(QUEUE_MAX - 1, ECHO);
    return { mesh, first };
  }

  test("AS13 a full queue answers queue_full with a retry time, and accepts again when a task leaves it", () => {
    const { mesh, first } = fullMesh();
    const error = mesh.errorOf("submit_task", submission(ECHO));
    expect(error).toMatchObject({ code: "queue_full", retryAfter: expect.any(Number) });
    mesh.run("cancel_task", { id: first, visibleTo: null });
    mesh.run("submit_task", submission(ECHO));
    expect(mesh.errorOf("submit_task", submission(ECHO)).code).toBe("queue_full");
  });

  test("AS13 a full queue still answers a repeated idempotency key with its task", () => {
    const { mesh, first } = fullMesh();
    expect(mesh.run("submit_task", submissionWithKey("first")).task.id).toBe(first);
  });

  test("AS13 the limit of the queue counts queued tasks only, not tasks that peers hold", () => {
    const { mesh } = fullMesh();
    mesh.join(A);
    mesh.run("submit_task", submission(ECHO));
    expect(mesh.errorOf("submit_task", submission(ECHO)).code).toBe("queue_full");
  });
});

describe("idempotency keys of single tasks and of batch items", () => {
  const anyKey = fc
    .array(fc.constantFrom("order", "/", "0", "1", "17", " ", "batch"), {
      minLength: 1,
      maxLength: 5,
    })
    .map((parts) => parts.join(""));
  const anyUse = fc.record({
    scope: fc.constantFrom("admin", "token:a", "peer:b"),
    key: anyKey,
    index: fc.option(fc.nat(20), { nil: null }),
  });

  test("AS19 different uses of idempotency keys never collide", () => {
    fc.assert(
      fc.property(anyUse, anyUse, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const stored = ({ scope, key, index }: typeof one) =>
          index === null ? { scope, key } : batchItemKey({ scope, key }, index);
        expect(stored(one)).not.toEqual(stored(other));
      }),
    );
  });

  test("AS19 a single task under the key order/0 is not item 0 of the batch order", () => {
    const mesh = new TestMesh();
    const single = mesh.run("submit_task", submissionWithKey("order/0")).task;
    const { results } = mesh.run("submit_batch", {
      source: "api",
      owner: "admin",
      tasks: [submission(ECHO).task],
      idempotency: { key: "order", scope: "admin" },
    });
    expect(results).toEqual([{ task: expect.anything(), duplicate: false }]);
    expect(mesh.run("submit_task", submissionWithKey("order/0")).task.id).toBe(single.id);
  });
});
