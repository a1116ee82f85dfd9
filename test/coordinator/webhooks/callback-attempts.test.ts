import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../../src/base/bytes.ts";
import type { CallbackRequest } from "../../../src/contract/webhooks.ts";
import { CALLBACK_ATTEMPTS_MAX, CALLBACK_TIMEOUT } from "../../../src/protocol/constants.ts";
import { SubmitTask, TaskEvent, type CallbackBody } from "../../../src/protocol/http.ts";
import { newWebhookSecret } from "../../../src/client/webhooks/deliver.ts";
import {
  neverRotated,
  secretOfVersion,
  verifyDelivery,
  type Answer,
} from "../../../src/webhooks/index.ts";
import { must, present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";
import { exactJsonOf, NULL_JSON } from "../../../src/base/json-text/json-text.ts";

const URL_1 = "https://one.example/hook";
const [KEY] = KEYS;

const answerWith = (status: number | null, more: Partial<Answer> = {}): Answer => ({
  status,
  error: status === null ? "can't be reached" : `HTTP ${status}`,
  retryAfter: null,
  ...more,
});

const submitWithCallback = (
  mesh: TestMesh,
  callback: CallbackBody = { url: URL_1 },
  more = {},
): string => mesh.run("submit_task", submission({ kind: "echo", callback }, more)).task.id;

const claimCallback = (mesh: TestMesh): CallbackRequest | null =>
  mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request;

const reportAnswer = (mesh: TestMesh, request: CallbackRequest, given: Answer): void => {
  const { taskId, retries, attempt } = request;
  mesh.run("callback_answered", { taskId, retries, attempt, answer: given });
};

const callbackOf = (mesh: TestMesh, id: string) => present(mesh.task(id).callback);

/** Submits a task with a callback and cancels it, so that the callback is due. */
function submitAndEnd(mesh: TestMesh, callback?: CallbackBody): string {
  const id = submitWithCallback(mesh, callback);
  mesh.run("cancel_task", { id, visibleTo: null });
  return id;
}

const verifiedDeliveryId = (request: CallbackRequest, secret: string, now: number): string =>
  must(
    verifyDelivery(
      { scheme: "standard-webhooks" },
      {
        secrets: [secret],
        headers: new Headers(request.headers),
        body: utf8(request.body),
        now,
      },
    ),
  ).deliveryId;

describe("a callback", () => {
  test.for([
    "http://127.0.0.1/",
    "http://localhost:8080/",
    "https://169.254.169.254/latest/meta-data",
    "ftp://example.com/",
    "https://user:pass@example.com/",
    "not a URL",
  ])("CB3 a task with a callback URL that may not be called is refused: %s", (url) => {
    const error = new TestMesh().errorOf(
      "submit_task",
      submission({ kind: "echo", callback: { url } }),
    );
    expect(error).toMatchObject({ code: "invalid_request", issues: [{ path: "callback.url" }] });
  });

  test("CB3 a callback secret that cannot sign is refused, and the answer does not contain it", () => {
    const secret = "whsec_this is no base64 but long enough";
    const callback = { url: URL_1, secret };
    const error = new TestMesh().errorOf("submit_task", submission({ kind: "echo", callback }));
    expect(error).toMatchObject({ code: "invalid_request", issues: [{ path: "callback.secret" }] });
    expect(JSON.stringify(error)).not.toContain("no base64");
  });

  test("CB3 the callback URL is checked again at each attempt, by the configuration at that time", () => {
    const lenient = new TestMesh({ config: { allowLoopback: true } });
    const id = submitAndEnd(lenient, { url: "http://127.0.0.1:9000/" });
    expect(claimCallback(lenient)).not.toBeNull();
    lenient.advanceClock(2 * CALLBACK_TIMEOUT);
    const strict = new TestMesh({ sql: lenient.sql });
    strict.now = lenient.now;
    expect(claimCallback(strict)).toBeNull();
    expect(callbackOf(strict, id)).toMatchObject({
      state: "failed",
      attempts: [{}, { error: expect.stringContaining("not a public address") }],
    });
  });

  test("CB3 the callback in a source's mapping is checked when the source is registered", () => {
    const mesh = new TestMesh();
    const source = {
      name: "ci",
      scheme: "github",
      signature: null,
      sealedSecrets: [""],
      mapping: {
        ...SubmitTask.parse({ kind: "a" }),
        payload: null,
        callback: { url: "http://10.0.0.1/" },
      },
      filters: [],
      maxBytes: null,
      maxBodyBytes: null,
      identity: null,
    } as const;
    expect(mesh.errorOf("put_webhook_source", source)).toMatchObject({
      issues: [{ path: "task.callback.url" }],
    });
  });

  test("CB4 a callback is sent after its task has ended, whatever the outcome", () => {
    const mesh = new TestMesh();
    const [waiting, held, failed, succeeded] = [0, 1, 2, 3].map(() => submitWithCallback(mesh));
    expect(claimCallback(mesh)).toBeNull();
    expect(callbackOf(mesh, present(succeeded))).toMatchObject({ state: "waiting", attempts: [] });
    mesh.run("cancel_task", { id: present(waiting), visibleTo: null });
    const peer = mesh.join(KEY, { slots: 1 });
    for (const id of [held, failed, succeeded].map(present)) {
      if (peer.offer.task_id !== id) throw new Error("offered in another order");
      peer.accept();
      if (id === failed) peer.fail("no", false);
      else if (id === succeeded) peer.finish({ size: 5 });
      else mesh.run("cancel_task", { id, visibleTo: null });
    }
    const sent = new Map<string, TaskEvent>();
    for (let request = claimCallback(mesh); request !== null; request = claimCallback(mesh))
      sent.set(request.taskId, TaskEvent.parse(JSON.parse(request.body)));
    expect([waiting, held, failed, succeeded].map((id) => sent.get(present(id))?.type)).toEqual([
      "task.cancelled",
      "task.cancelled",
      "task.failed",
      "task.succeeded",
    ]);
    expect(sent.get(present(succeeded))?.data).toMatchObject({
      id: succeeded,
      state: "succeeded",
      result: exactJsonOf({ size: 5 }),
    });
    expect(sent.get(present(failed))?.data).toMatchObject({ error: "no", result: NULL_JSON });
  });

  test("CB4 a callback that is due sets the alarm, and the alarm starts its attempt", () => {
    const mesh = new TestMesh();
    submitAndEnd(mesh);
    expect(mesh.effectsOfType("drain_callbacks")).toHaveLength(1);
    expect(present(mesh.nextTick())).toBeLessThanOrEqual(mesh.now + 2 * CALLBACK_TIMEOUT);
    reportAnswer(mesh, present(claimCallback(mesh)), answerWith(500));
    const due = present(mesh.nextTick());
    mesh.now = due;
    mesh.tick();
    expect(claimCallback(mesh)).not.toBeNull();
  });

  test("CB5 a callback is signed under its task's ID with the task's or the owner's secret, and its body never changes", () => {
    const mesh = new TestMesh();
    const secret = newWebhookSecret();
    const own = submitAndEnd(mesh, { url: URL_1, secret });
    const owners = submitWithCallback(mesh, { url: URL_1 }, { owner: "0011223344556677" });
    mesh.run("cancel_task", { id: owners, visibleTo: null });
    const requests = new Map(
      [present(claimCallback(mesh)), present(claimCallback(mesh))].map((request) => [
        request.taskId,
        request,
      ]),
    );
    const derived = secretOfVersion(
      new Uint8Array(32).fill(1),
      neverRotated("0011223344556677", new URL(URL_1).origin),
      1,
    );
    for (const [id, key] of [
      [own, secret],
      [owners, derived],
    ] as const)
      expect(verifiedDeliveryId(present(requests.get(id)), key, mesh.now)).toBe(id);
    mesh.advanceClock(1_000_000);
    const again = present(claimCallback(mesh));
    expect(again.body).toBe(requests.get(again.taskId)?.body);
    expect(verifiedDeliveryId(again, again.taskId === own ? secret : derived, mesh.now)).toBe(
      again.taskId,
    );
  });

  test("CB6 a callback that is not acknowledged is retried up to the limit, and every attempt is recorded", () => {
    const mesh = new TestMesh();
    const id = submitAndEnd(mesh);
    for (let n = 1; n <= CALLBACK_ATTEMPTS_MAX; n++) {
      const request = present(claimCallback(mesh));
      expect(request.attempt).toBe(n);
      reportAnswer(mesh, request, answerWith(n % 2 === 0 ? 503 : null));
      expect(claimCallback(mesh)).toBeNull();
      const { next_at } = callbackOf(mesh, id);
      if (next_at !== null) mesh.now = Date.parse(next_at);
    }
    const { state, attempts } = callbackOf(mesh, id);
    expect(state).toBe("failed");
    expect(attempts.map(({ status }) => status)).toEqual(
      Array.from({ length: CALLBACK_ATTEMPTS_MAX }, (_, i) => (i % 2 === 0 ? null : 503)),
    );
    expect(mesh.registry.callbacks.queues.nextReady()).toBeNull();
  });

  test("CB8 a task shows the attempts of its callback, and never the secret", () => {
    const mesh = new TestMesh();
    const secret = newWebhookSecret();
    const id = submitAndEnd(mesh, { url: URL_1, secret });
    const began = new Date(mesh.now).toISOString();
    const request = present(claimCallback(mesh));
    expect(callbackOf(mesh, id).attempts).toEqual([
      { at: began, ended_at: null, status: null, error: null },
    ]);
    mesh.advanceClock(1_500);
    reportAnswer(mesh, request, { status: 204, error: null, retryAfter: null });
    expect(callbackOf(mesh, id)).toEqual({
      url: URL_1,
      state: "delivered",
      next_at: null,
      attempts: [
        { at: began, ended_at: new Date(mesh.now).toISOString(), status: 204, error: null },
      ],
    });
    for (const place of [mesh.contents(), JSON.stringify(mesh.task(id))])
      expect(place).not.toContain(secret.slice(6));
  });

  test("CB10 a delivered or failed callback can be repeated by its task's owner", () => {
    const mesh = new TestMesh();
    const id = submitWithCallback(mesh, { url: URL_1 }, { owner: "mine" });
    const again = { id, visibleTo: "mine" };
    expect(mesh.errorOf("repeat_callback", again).code).toBe("conflict");
    mesh.run("cancel_task", again);
    expect(mesh.errorOf("repeat_callback", again).code).toBe("conflict");
    reportAnswer(mesh, present(claimCallback(mesh)), answerWith(410));
    expect(callbackOf(mesh, id).state).toBe("failed");
    expect(mesh.errorOf("repeat_callback", { id, visibleTo: "other" }).code).toBe("not_found");
    expect(mesh.run("repeat_callback", again).callback).toMatchObject({
      state: "pending",
      attempts: [],
    });
    reportAnswer(mesh, present(claimCallback(mesh)), {
      status: 200,
      error: null,
      retryAfter: null,
    });
    expect(callbackOf(mesh, id).state).toBe("delivered");
    expect(mesh.errorOf("repeat_callback", { id: mesh.submit().id, visibleTo: null }).code).toBe(
      "not_found",
    );
  });

  test("CB12 a callback is removed with its task", () => {
    const mesh = new TestMesh();
    submitAndEnd(mesh);
    reportAnswer(mesh, present(claimCallback(mesh)), answerWith(410));
    expect(mesh.registry.callbacks.count()).toBe(1);
    mesh.advanceClock(31 * 86_400_000);
    mesh.tick();
    expect(mesh.registry.callbacks.count()).toBe(0);
  });
});

/** An event: an attempt that is answered at once, late or never, passing time, a restart, or the end of a task. */
type Step =
  | { readonly type: "claim"; readonly outcome: "acknowledged" | "error" | "no_answer" | "late" }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "restart" }
  | { readonly type: "end" };

const Step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("claim" as const),
      outcome: fc.constantFrom(
        "acknowledged" as const,
        "error" as const,
        "error" as const,
        "no_answer" as const,
        "late" as const,
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("pass" as const),
      ms: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: 50_000_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: "restart" as const }) },
  { weight: 2, arbitrary: fc.constant({ type: "end" as const }) },
);

test("CB4 after any crashes and late answers, a callback is delivered at least once or failed after twelve attempts", () => {
  fc.assert(
    fc.property(fc.array(Step, { maxLength: 60 }), (steps) => {
      let mesh = new TestMesh();
      const ids = [0, 1, 2].map(() => submitWithCallback(mesh));
      const waiting = [...ids];
      const acknowledged = new Set<string>();
      const late: CallbackRequest[] = [];
      const acknowledge = (request: CallbackRequest) => {
        acknowledged.add(request.taskId);
        reportAnswer(mesh, request, { status: 200, error: null, retryAfter: null });
      };
      const startAttempt = (outcome: string): boolean => {
        const request = claimCallback(mesh);
        if (request === null) return false;
        if (outcome === "acknowledged") acknowledge(request);
        if (outcome === "error") reportAnswer(mesh, request, answerWith(500));
        if (outcome === "late") late.push(request);
        return true;
      };
      for (const step of steps) {
        if (step.type === "claim") startAttempt(step.outcome);
        if (step.type === "pass") mesh.advanceClock(step.ms);
        if (step.type === "end" && waiting.length > 0)
          mesh.run("cancel_task", { id: present(waiting.pop()), visibleTo: null });
        if (step.type === "restart") {
          const { now } = mesh;
          mesh = new TestMesh({ sql: mesh.sql });
          mesh.now = now;
        }
      }
      for (const request of late) acknowledge(request);
      for (const id of waiting) mesh.run("cancel_task", { id, visibleTo: null });
      // From here on the receiver acknowledges: the alarm alone must complete every callback.
      while (mesh.registry.callbacks.queues.nextReady() !== null) {
        mesh.now = Math.max(present(mesh.nextTick()), mesh.now + 1);
        mesh.tick();
        while (startAttempt("acknowledged"));
      }
      for (const id of ids) {
        const { state, attempts } = callbackOf(mesh, id);
        expect(attempts.length).toBeLessThanOrEqual(CALLBACK_ATTEMPTS_MAX);
        if (state === "delivered") expect(acknowledged.has(id)).toBe(true);
        else expect([state, attempts.length]).toEqual(["failed", CALLBACK_ATTEMPTS_MAX]);
      }
    }),
    { numRuns: 300 },
  );
});
