import { describe, expect, test } from "vitest";
import { timelineLines } from "../../src/cli/trace-output.ts";
import type { TaskTrace } from "../../src/client/index.ts";

const T = Date.UTC(2026, 0, 1);
const ID = "00000000-0000-4000-8000-000000000001";

type Span = TaskTrace["spans"][number];
const span = (
  spanId: string,
  name: Span["name"],
  [from, to]: readonly [number, number | null],
  more: Partial<Span> = {},
): Span => ({
  span_id: spanId,
  parent_span_id: "root",
  name,
  started_at: new Date(T + from).toISOString(),
  ended_at: to === null ? null : new Date(T + to).toISOString(),
  failed: false,
  attributes: {},
  ...more,
});

const trace = (...spans: Span[]): TaskTrace => ({
  task_id: ID,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  exported: false,
  spans,
  earlier_rounds: [],
});

const task = (to: number | null, state = "succeeded") =>
  span("root", "muster.task", [0, to], {
    parent_span_id: "b7ad6b7169203331",
    attributes: { "muster.task.state": state, "muster.task.kind": "resize" },
  });
const attempt = (fence: number, times: readonly [number, number | null], state: string) =>
  span(`a${fence}`, "muster.attempt", times, {
    failed: state === "failed",
    attributes: {
      "muster.attempt.fence": fence,
      "muster.attempt.state": state,
      "muster.attempt.begun_after_ms": 250,
      "muster.peer.name": "atlas",
    },
  });

describe("the timeline of a task", () => {
  test("CL89 has a line for each span, with its times, a bar and what came of it", () => {
    const lines = timelineLines(
      trace(
        task(8_000),
        span("s", "muster.submit", [0, 0]),
        span("w", "muster.wait", [0, 1_000]),
        attempt(1, [1_000, 3_000], "failed"),
        span("w2", "muster.wait", [3_000, 5_000]),
        attempt(2, [5_000, 8_000], "succeeded"),
        span("u", "muster.upload", [7_000, 8_000], {
          parent_span_id: "a2",
          attributes: { "muster.result.bytes": 300_000 },
        }),
        span("c", "muster.callback", [8_000, 16_000], {
          attributes: { "server.address": "one.example", "muster.callback.state": "delivered" },
        }),
        span("c1", "muster.callback.attempt", [8_000, 8_200], {
          parent_span_id: "c",
          failed: true,
          attributes: { "server.address": "one.example", "http.response.status_code": 503 },
        }),
      ),
    );
    expect(lines.join("\n")).toBe(`\
task ${ID}: resize, succeeded, 8.0 s
trace 0af7651916cd43dd8448eb211c80319c
SPAN       AFTER  TIME
submit     0 ms   0 ms    =
wait       0 ms   1.0 s   ===
attempt 1  1.0 s  2.0 s     ======                                  atlas, failed, begun after 250 ms
wait       3.0 s  2.0 s          ======
attempt 2  5.0 s  3.0 s               =========                     atlas, succeeded, begun after 250 ms
  upload   7.0 s  1.0 s                    ====                     300000 bytes
callback   8.0 s  8.0 s                       ====================  one.example, delivered
  attempt  8.0 s  200 ms                      =                     one.example, 503, failed`);
  });

  test("CL89 shows what has not ended as open", () => {
    const lines = timelineLines(
      trace(
        task(null, "running"),
        span("w", "muster.wait", [0, 1_000]),
        attempt(1, [1_000, null], "running"),
      ),
    );
    expect(lines[0]).toBe(`task ${ID}: resize, running, not ended`);
    expect(lines.at(-1)).toMatch(/^attempt 1 +1\.0 s +… +=*> +atlas, running/);
  });

  test("CL92 of a retried task shows what is known of the rounds before, and says what is not", () => {
    const retried = task(8_000);
    const newest = trace(
      { ...retried, attributes: { ...retried.attributes, "muster.task.retries": 3 } },
      attempt(9, [1_000, 3_000], "succeeded"),
    );
    const round = { retries: 1, spans: [task(3_000), attempt(4, [0, 3_000], "failed")] };
    const lines = timelineLines({ ...newest, earlier_rounds: [round] });
    expect(lines).toEqual([
      `task ${ID}: resize, succeeded, 8.0 s`,
      "trace 0af7651916cd43dd8448eb211c80319c",
      "of 2 earlier rounds no attempt is known",
      "before retry 2, from 2026-01-01T00:00:00.000Z:",
      expect.stringMatching(/^SPAN +AFTER +TIME/),
      expect.stringMatching(/^attempt 4 +0 ms +3\.0 s +=+ +atlas, failed/),
      "when these rounds ended, and their callbacks, is not stored",
      "since retry 3:",
      expect.stringMatching(/^SPAN +AFTER +TIME/),
      expect.stringMatching(/^attempt 9 +1\.0 s/),
    ]);
  });

  test("CL89 ends with what a faulty mesh sends: spans below themselves, and none at all", () => {
    const itself = span("x", "muster.wait", [0, 1], { parent_span_id: "x" });
    expect(timelineLines(trace(itself, itself)).length).toBeLessThan(6);
    expect(timelineLines(trace())).toEqual([]);
    expect(timelineLines(trace(task(1), itself)).length).toBe(3);
  });

  test.each([
    [999, "999 ms"],
    [1_500, "1.5 s"],
    [59_999, "1 min 0 s"],
    [123_000, "2 min 3 s"],
    [5_400_000, "1 h 30 min"],
  ])("CL89 writes %i ms as %s", (ms, text) => {
    expect(timelineLines(trace(task(ms)))[0]).toBe(`task ${ID}: resize, succeeded, ${text}`);
  });
});
