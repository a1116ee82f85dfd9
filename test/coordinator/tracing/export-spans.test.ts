import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { ExportAnswer, SpanBatch } from "../../../src/contract/tracing.ts";
import { SPAN_QUEUE_MAX } from "../../../src/coordinator/tracing/queue-spans.ts";
import type { MetricName } from "../../../src/metrics/catalog.ts";
import type { SpanDrop } from "../../../src/metrics/tracing-families.ts";
import { backupTables } from "../../../src/registry/backup-tables.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";
import { readOtlp } from "./otlp-schema.ts";

const [A] = KEYS;
const TRACING = { sample: 1, meshName: "lab", meshId: "9f86d081884c7d659a2feaa0c55ad015" };
const CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const CALLBACK = {
  url: "https://receiver.example/done",
  secret: `whsec_${btoa("s".repeat(32))}`,
};

const tracedMesh = (sample = 1) => new TestMesh({ config: { tracing: { ...TRACING, sample } } });
const claim = (mesh: TestMesh): SpanBatch | null => mesh.run("claim_spans", {}).batch;
const answer = (mesh: TestMesh, batch: SpanBatch, more: Partial<ExportAnswer> = {}) => {
  const { upTo, spans } = batch;
  const given = { status: 200, retryAfter: null, rejected: 0, ...more };
  mesh.run("spans_answered", { upTo, spans, answer: given });
};
const end = (mesh: TestMesh, more: Parameters<typeof submission>[1] = {}): string => {
  const { id } = mesh.run("submit_task", submission({ kind: "echo" }, more)).task;
  mesh.run("cancel_task", { id, visibleTo: null });
  return id;
};
/** A counter of spans, as `GET /metrics` shows it. */
const counted = (mesh: TestMesh, name: MetricName, ...labels: string[]): number => {
  const samples = mesh.run("collect_metrics", {}).metrics.get(name) ?? [];
  const found = samples.find((sample) => sample.labels.join(" ") === labels.join(" "));
  return found !== undefined && "value" in found ? found.value : Number.NaN;
};
const dropped = (mesh: TestMesh, reason: SpanDrop): number =>
  counted(mesh, "muster_spans_dropped", reason);
const namesOf = (batch: SpanBatch | null) =>
  readOtlp(present(batch).body).spans.map(({ name }) => name);

describe("the export of spans", () => {
  test("TR15 sends the spans of a task that has ended, as OTLP writes them in JSON, five seconds after its end", () => {
    const mesh = tracedMesh();
    const peer = mesh.join(A);
    const trace = { traceparent: CALLER, tracestate: "vendor=value" };
    const { id } = mesh.run("submit_task", submission({ kind: "echo" }, { trace })).task;
    expect(peer.offer.traceparent).not.toBe(CALLER);
    peer.accept();
    mesh.runFor(2 * SECOND);
    peer.finish("the result");
    expect(claim(mesh)).toBeNull();
    mesh.runFor(5 * SECOND);
    const batch = present(claim(mesh));
    const { spans, resource } = readOtlp(batch.body);
    expect(batch.spans).toBe(spans.length);
    expect(resource).toMatchObject({
      "service.name": "muster",
      "service.instance.id": TRACING.meshId,
      "muster.mesh.name": "lab",
    });
    expect(spans.map(({ name }) => name)).toEqual([
      "muster.task",
      "muster.submit",
      "muster.wait",
      "muster.attempt",
    ]);
    for (const span of spans)
      expect(span).toMatchObject({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        traceState: "vendor=value",
      });
    const [root, , , attempt] = spans;
    expect(root).toMatchObject({ parentSpanId: "b7ad6b7169203331", flags: 0x301 });
    expect(attempt).toMatchObject({ parentSpanId: root?.spanId, flags: 0x101 });
    expect(BigInt(attempt?.endTimeUnixNano ?? 0) - BigInt(attempt?.startTimeUnixNano ?? 0)).toBe(
      2_000_000_000n,
    );
    // What the handler got is below the attempt's span.
    expect(peer.offer.traceparent).toBe(`00-${attempt?.traceId}-${attempt?.spanId}-01`);
    expect(batch.body).not.toContain("the result");
    answer(mesh, batch);
    expect(claim(mesh)).toBeNull();
    expect(mesh.run("trace_task", { id, visibleTo: null })).toMatchObject({ exported: true });
  });

  test("TR15 sends the spans of a callback once it is not sent any more by itself", () => {
    const mesh = tracedMesh();
    const { id } = mesh.run("submit_task", submission({ kind: "echo", callback: CALLBACK })).task;
    mesh.run("cancel_task", { id, visibleTo: null });
    const claimed = mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request;
    const { taskId, retries, attempt, headers } = present(claimed);
    mesh.runFor(6 * SECOND);
    const first = present(claim(mesh));
    expect(namesOf(first)).not.toContain("muster.callback");
    answer(mesh, first);
    const delivered = { status: 200, error: null, retryAfter: null };
    mesh.run("callback_answered", { taskId, retries, attempt, answer: delivered });
    mesh.runFor(6 * SECOND);
    const second = readOtlp(present(claim(mesh)).body).spans;
    expect(second.map(({ name }) => name)).toEqual(["muster.callback", "muster.callback.attempt"]);
    expect(headers["traceparent"]).toBe(`00-${id.replaceAll("-", "")}-${second[1]?.spanId}-01`);
  });

  test("TR12 sends the same spans again after a restart, if the answer was lost", () => {
    const mesh = tracedMesh();
    end(mesh);
    mesh.runFor(6 * SECOND);
    const before = present(claim(mesh));
    mesh.restart();
    expect(claim(mesh)).toEqual(before);
    answer(mesh, before);
    mesh.restart();
    expect(claim(mesh)).toBeNull();
  });

  test("TR13 queues nothing while no collector is configured, and nothing of a trace that is not sampled", () => {
    const off = new TestMesh();
    end(off, { trace: { traceparent: CALLER, tracestate: null } });
    expect(off.registry.spanQueue.count()).toBe(0);
    const mesh = tracedMesh(0);
    end(mesh);
    end(mesh, { trace: { traceparent: CALLER.replace(/01$/, "00"), tracestate: null } });
    expect(mesh.registry.spanQueue.count()).toBe(0);
    end(mesh, { trace: { traceparent: CALLER, tracestate: null } });
    expect(mesh.registry.spanQueue.count()).toBe(1);
  });

  test("TR16 leaves out the spans of an end of before a retry", () => {
    const mesh = tracedMesh();
    const id = end(mesh);
    mesh.run("retry_task", { id, visibleTo: null });
    mesh.run("cancel_task", { id, visibleTo: null });
    mesh.runFor(6 * SECOND);
    const batch = present(claim(mesh));
    expect(namesOf(batch).filter((name) => name === "muster.task")).toHaveLength(1);
    expect(namesOf(batch)).toContain("muster.retry");
    answer(mesh, batch);
    expect(mesh.registry.spanQueue.count()).toBe(0);
  });

  test("TR16 a request has a bounded number of spans, and the rest is due at once", () => {
    const mesh = tracedMesh();
    for (let n = 0; n < 300; n++) end(mesh);
    const counts: number[] = [];
    for (let batch = claim(mesh); batch !== null; batch = claim(mesh)) {
      counts.push(batch.spans);
      answer(mesh, batch);
    }
    expect(counts).toEqual([256, 256]);
    mesh.runFor(5 * SECOND);
    expect(claim(mesh)?.spans).toBe(88);
  });

  test.each([429, 502, 503, 504, null])(
    "TR17 MT20 repeats a request that was answered with %s, with pauses that grow",
    (status) => {
      const mesh = tracedMesh();
      end(mesh);
      mesh.runFor(5 * SECOND);
      const pauses: number[] = [];
      for (let n = 0; n < 8; n++) {
        answer(mesh, present(claim(mesh)), { status });
        const from = mesh.now;
        while (claim(mesh) === null) mesh.runFor(SECOND);
        pauses.push(mesh.now - from);
      }
      expect(pauses[0]).toBeLessThanOrEqual(6 * SECOND);
      expect(pauses.at(-1)).toBeGreaterThanOrEqual(2 * MINUTE);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(5 * MINUTE + SECOND);
      expect(dropped(mesh, "refused")).toBe(0);
      expect(counted(mesh, "muster_span_requests", "repeated")).toBe(8);
      expect(counted(mesh, "muster_span_queue_entries")).toBe(1);
    },
  );

  test("TR17 waits as long as Retry-After asks", () => {
    const mesh = tracedMesh();
    end(mesh);
    mesh.runFor(5 * SECOND);
    answer(mesh, present(claim(mesh)), { status: 429, retryAfter: 120 });
    mesh.runFor(119 * SECOND);
    expect(claim(mesh)).toBeNull();
    mesh.runFor(2 * SECOND);
    expect(claim(mesh)).not.toBeNull();
  });

  test.each([400, 401, 404, 413, 500, 302])(
    "TR17 MT20 drops the spans of a request that was refused with %i, and counts them",
    (status) => {
      const mesh = tracedMesh();
      end(mesh);
      mesh.runFor(5 * SECOND);
      const batch = present(claim(mesh));
      answer(mesh, batch, { status });
      expect(mesh.registry.spanQueue.count()).toBe(0);
      expect(counted(mesh, "muster_spans_sent")).toBe(0);
      expect(dropped(mesh, "refused")).toBe(batch.spans);
      expect(counted(mesh, "muster_span_requests", "refused")).toBe(1);
    },
  );

  test("TR17 MT20 counts the spans that the collector did not take of a request, and does not repeat it", () => {
    const mesh = tracedMesh();
    end(mesh);
    mesh.runFor(5 * SECOND);
    const batch = present(claim(mesh));
    answer(mesh, batch, { rejected: 2 });
    expect(counted(mesh, "muster_spans_sent")).toBe(batch.spans - 2);
    expect(dropped(mesh, "refused")).toBe(2);
    expect(counted(mesh, "muster_span_requests", "taken")).toBe(1);
    expect(claim(mesh)).toBeNull();
  });

  test("TR17 MT20 drops spans that could not be sent for an hour, and counts them", () => {
    const mesh = tracedMesh();
    end(mesh);
    mesh.runFor(5 * SECOND);
    answer(mesh, present(claim(mesh)), { status: 503, retryAfter: 3_600 });
    end(mesh);
    mesh.runFor(HOUR);
    expect(dropped(mesh, "too_old")).toBe(1);
    expect(mesh.registry.spanQueue.count()).toBe(1);
  });

  test("TR17 MT20 a full queue takes no more, and counts what it did not take", () => {
    const mesh = tracedMesh();
    for (let n = 0; n < SPAN_QUEUE_MAX - 1; n++)
      mesh.registry.spanQueue.add({ taskId: `${n}`, retries: 0, part: "task", at: mesh.now });
    end(mesh);
    end(mesh);
    expect(mesh.registry.spanQueue.count()).toBe(SPAN_QUEUE_MAX);
    expect(dropped(mesh, "queue_full")).toBe(1);
  });

  test("TR17 when no collector is configured any more, the queue is emptied", () => {
    const mesh = tracedMesh();
    end(mesh);
    const off = new TestMesh({ sql: mesh.sql });
    off.run("tick", {});
    expect(off.registry.spanQueue.count()).toBe(0);
  });

  test("TR16 the queue is in no backup", () => {
    expect(backupTables(new TestMesh().sql).map(({ name }) => name)).not.toContain("span_queue");
  });
});

describe("the timeline of a task", () => {
  test("HT101 has the spans of a task that runs, too, without any collector, for whoever may see the task", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.run("submit_task", submission({ kind: "echo" }, { owner: "me" })).task;
    peer.accept();
    const shown = mesh.run("trace_task", { id, visibleTo: "me" });
    expect(shown).toMatchObject({ task_id: id, trace_id: id.replaceAll("-", ""), exported: false });
    expect(shown.spans.map(({ name, ended_at: at }) => [name, at === null])).toEqual([
      ["muster.task", true],
      ["muster.submit", false],
      ["muster.wait", false],
      ["muster.attempt", true],
    ]);
    expect(shown.earlier_rounds).toEqual([]);
    expect(mesh.errorOf("trace_task", { id, visibleTo: "other" }).code).toBe("not_found");
    expect(mesh.errorOf("trace_task", { id: KEYS[0].id, visibleTo: null }).code).toBe("not_found");
  });

  test("TR25 has the rounds before a retry apart, with the span IDs that were sent", () => {
    const mesh = tracedMesh();
    const peer = mesh.join(A);
    const body = { kind: "echo", max_attempts: 2, backoff: { first_seconds: 1 } } as const;
    const { id } = mesh.run("submit_task", submission(body)).task;
    const attempt = (finish: () => void) => {
      for (let n = 0; n < 60 && mesh.task(id).state !== "leased"; n++) mesh.runFor(SECOND);
      peer.accept();
      mesh.runFor(SECOND);
      finish();
    };
    attempt(() => peer.fail());
    attempt(() => peer.fail());
    mesh.runFor(6 * SECOND);
    const sent = readOtlp(present(claim(mesh)).body).spans;
    mesh.run("retry_task", { id, visibleTo: null });
    attempt(() => peer.fail());
    attempt(() => peer.fail());
    mesh.run("retry_task", { id, visibleTo: null });
    attempt(() => peer.finish("done"));
    const { spans, earlier_rounds: rounds } = mesh.run("trace_task", { id, visibleTo: null });
    expect(spans.filter(({ name }) => name === "muster.attempt")).toHaveLength(1);
    expect(rounds.map(({ retries }) => retries)).toEqual([0, 1]);
    const [first, second] = rounds.map((round) => round.spans);
    expect(first?.map(({ name, failed }) => [name, failed])).toEqual([
      ["muster.task", true],
      ["muster.wait", false],
      ["muster.attempt", true],
      ["muster.wait", false],
      ["muster.attempt", true],
    ]);
    // Of a later round it is not known when it began to wait.
    expect(second?.map(({ name }) => name)).toEqual([
      "muster.task",
      "muster.attempt",
      "muster.wait",
      "muster.attempt",
    ]);
    const sentIds = sent.map(({ spanId }) => spanId);
    for (const { span_id: spanId } of first ?? []) expect(sentIds).toContain(spanId);
    for (const round of rounds)
      for (const { name, parent_span_id: parent } of round.spans)
        if (name !== "muster.task") expect(parent).toBe(round.spans[0]?.span_id);
  });

  test("TR25 has no round of which no attempt is stored", () => {
    const mesh = new TestMesh();
    const { id } = mesh.run("submit_task", submission({ kind: "echo" })).task;
    mesh.run("cancel_task", { id, visibleTo: null });
    mesh.run("retry_task", { id, visibleTo: null });
    expect(mesh.run("trace_task", { id, visibleTo: null }).earlier_rounds).toEqual([]);
  });
});
