import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { MusterApiError } from "../../src/client/errors.ts";
import { LeaseRenewal } from "../../src/client/work/lease-renewal.ts";
import { api, ID, problem } from "./fake-api.ts";
import { FakeMesh, taskId } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE = 60_000;
const LONGEST = 86_400;

/** None of these is a number of seconds within a day. A timer takes a delay over 2^31 ms, a negative one or NaN as none. */
const BAD_SECONDS: readonly Json[] = [
  -1,
  -1e300,
  LONGEST + 1,
  2_147_484,
  1e300,
  null,
  true,
  "",
  "5",
  "NaN",
  [],
  {},
];
const named = BAD_SECONDS.map((value) => [JSON.stringify(value), value] as const);

/** The error of a request, and how many requests it took. */
async function failure(answer: () => Response): Promise<readonly [MusterApiError, number]> {
  const { mesh, requests } = api(answer);
  const reading = mesh.tasks.get(ID).then(
    () => Promise.reject(new Error("it succeeded")),
    (error: unknown) => error as MusterApiError,
  );
  await vi.advanceTimersByTimeAsync(MINUTE);
  const error = await reading;
  expect(error).toBeInstanceOf(MusterApiError);
  return [error, requests.length];
}

describe("a time to wait that a server names", () => {
  test.each(named)("RC22 %s in a problem document counts as a day", async (_, value) => {
    const [error, requests] = await failure(problem(503, "unavailable", { retry_after: value }));
    expect(error).toMatchObject({ code: "unavailable", retryAfter: LONGEST });
    expect(requests).toBe(1);
  });

  test("RC22 infinity in a problem document counts as a day", async () => {
    const text = JSON.stringify(await problem(429, "rate_limited", { retry_after: 7 })().json());
    const answer = () => new Response(text.replace(":7}", ":1e999}"), { status: 429 });
    const [error, requests] = await failure(answer);
    expect(error).toMatchObject({ code: "rate_limited", retryAfter: LONGEST });
    expect(requests).toBe(1);
  });

  test.each(["86401", "2147484", "9".repeat(400), "Wed, 21 Oct 2099 07:28:00 GMT"])(
    "RC22 a Retry-After header of %s counts as a day",
    async (header) => {
      const body = problem(503, "unavailable");
      const answer = () =>
        new Response(body().body, { status: 503, headers: { "retry-after": header } });
      const [error, requests] = await failure(answer);
      expect(error.retryAfter).toBe(LONGEST);
      expect(requests).toBe(1);
    },
  );

  test.each(["-1", "NaN", "Infinity", "1e9", "0x10", "", "1, 2", "Wed, 21 Oct 2099 07:28"])(
    "RC22 a Retry-After header of %j is none: the SDK's own pauses apply",
    async (header) => {
      const answer = () =>
        new Response("busy", { status: 503, headers: { "retry-after": header } });
      const [error, requests] = await failure(answer);
      expect(error.retryAfter).toBeUndefined();
      expect(requests).toBe(5);
    },
  );

  test.each([...named, ["a day", LONGEST] as const])(
    "RC22 %s in the refusal of a result delays its repetition by 5 min",
    async (_, value) => {
      const mesh = new FakeMesh();
      const { peer, session } = mesh.join({ handlers: { work: () => "done" } });
      session.offer({ task_id: taskId(1) });
      await vi.advanceTimersByTimeAsync(0);
      const sent = session.received.find(({ type }) => type === "task_result");
      const busy = { code: 1005, message: "busy", details: "unavailable", retry_after: value };
      session.send("error", busy, { replyTo: sent?.id ?? "" });
      // The mesh pings meanwhile, or the peer would end the session.
      const ping = () => session.send("ping", { sentAt: Date.now() });
      for (let minute = 1; minute <= 5; minute++) {
        expect(session.payloads("task_result")).toHaveLength(1);
        await vi.advanceTimersByTimeAsync(MINUTE - 1);
        ping();
      }
      expect(session.payloads("task_result")).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(MINUTE);
      expect(session.payloads("task_result")).toHaveLength(2);
      void peer.close();
    },
  );

  test.each([...named, ["a day", LONGEST] as const])(
    "RC22 %s in a rejection for key_in_use delays the next dial by 5 min",
    async (_, value) => {
      const mesh = new FakeMesh();
      const reason = "key_in_use: another process uses this key";
      const peer = mesh.connect();
      mesh.lastSession.open();
      mesh.lastSession.ack();
      mesh.lastSession.send("rejection", { code: "key_in_use", reason, retry_after: value });
      mesh.lastSession.close(4429, reason);
      expect(mesh.eventsOf("key_in_use")).toMatchObject([{ retryInMs: 5 * MINUTE }]);
      await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
      expect(mesh.sessions).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(mesh.sessions).toHaveLength(2);
      void peer.close();
    },
  );

  test.each([
    { slot: 10_000_000, per_second: 1e-300 },
    { slot: 10_000_000, per_second: 5e-324 },
    { slot: 10_000_000, per_second: 1 },
    { slot: 0, per_second: 5e-324 },
  ])(
    "RC2 a reconnect position of $slot / $per_second s delays a dial by 10 min at most",
    async (reconnect) => {
      const mesh = new FakeMesh();
      const peer = mesh.connect();
      mesh.welcomeNext({ reconnect }).close(1006);
      const [end] = mesh.eventsOf("disconnected");
      expect(end?.retryInMs).toBeGreaterThanOrEqual(0);
      expect(end?.retryInMs).toBeLessThanOrEqual(10 * MINUTE);
      await vi.advanceTimersByTimeAsync(10 * MINUTE);
      expect(mesh.sessions.length).toBeGreaterThan(1);
      void peer.close();
    },
  );

  test.each([5e-324, 1e-9, 0.001, 0.3, 3_600, 6_442_452, 1e300])(
    "RC22 a lease of %d s is renewed at most every 100 ms, and every 20 min at least",
    async (seconds) => {
      let renewals = 0;
      const renewal = new LeaseRenewal(seconds * 1_000, Date.now, () => void renewals++);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(renewals).toBeLessThanOrEqual(10);
      renewal.setLease(seconds * 1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(renewals).toBeLessThanOrEqual(20);
      const before = renewals;
      await vi.advanceTimersByTimeAsync(20 * MINUTE);
      expect(renewals).toBeGreaterThan(before);
      renewal.stop();
    },
  );
});
