import { describe, expect, test } from "vitest";
import { DAY } from "../../../src/base/clock.ts";
import { verifyCallback } from "../../../src/client/index.ts";
import type { CallbackRequest } from "../../../src/contract/webhooks.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const SECRET = `whsec_${btoa("s".repeat(32))}`;
const CALLBACK = { url: "https://receiver.example/done", secret: SECRET };

const submit = (mesh: TestMesh): string =>
  mesh.run("submit_task", submission({ kind: "echo", callback: CALLBACK })).task.id;
const cancel = (mesh: TestMesh, id: string) => mesh.run("cancel_task", { id, visibleTo: null });
const retry = (mesh: TestMesh, id: string) => mesh.run("retry_task", { id, visibleTo: null });
const claim = (mesh: TestMesh): CallbackRequest | null =>
  mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request;
const answer = (mesh: TestMesh, request: CallbackRequest, status: number) => {
  const { taskId, retries, attempt } = request;
  const given = { status, error: status === 200 ? null : "no", retryAfter: null };
  mesh.run("callback_answered", { taskId, retries, attempt, answer: given });
};
const verify = (mesh: TestMesh, { headers, body }: CallbackRequest) =>
  verifyCallback({ headers: new Headers(headers), body }, { secret: SECRET, now: mesh.now });

describe("the callback of a task that is retried", () => {
  test("CB13 each end is delivered as an event of its own, which the SDK verifies", () => {
    const mesh = new TestMesh();
    const id = submit(mesh);
    cancel(mesh, id);
    const first = present(claim(mesh));
    answer(mesh, first, 200);
    retry(mesh, id);
    expect(mesh.task(id).callback).toMatchObject({ state: "waiting", attempts: [] });
    expect(claim(mesh)).toBeNull();
    mesh.join(KEYS[0]).finish("done");
    const second = present(claim(mesh));
    expect([first, second].map(({ headers }) => headers["webhook-id"])).toEqual([
      id,
      `${id}-retry-1`,
    ]);
    expect(verify(mesh, first)).toMatchObject({ type: "task.cancelled", data: { id, retries: 0 } });
    expect(verify(mesh, second)).toMatchObject({
      type: "task.succeeded",
      data: { id, retries: 1, result: "done" },
    });
    answer(mesh, second, 200);
    expect(mesh.task(id).callback).toMatchObject({ state: "delivered", attempts: [{}] });
  });

  test("CB13 a retry gives up what was not delivered of the end before", () => {
    const mesh = new TestMesh();
    const id = submit(mesh);
    cancel(mesh, id);
    answer(mesh, present(claim(mesh)), 500);
    retry(mesh, id);
    mesh.advanceClock(DAY / 2);
    expect(claim(mesh)).toBeNull();
    expect(mesh.task(id).callback).toMatchObject({ state: "waiting", next_at: null });
  });

  test("CB13 a late answer to a delivery of the end before changes nothing", () => {
    const mesh = new TestMesh();
    const id = submit(mesh);
    cancel(mesh, id);
    const late = present(claim(mesh));
    retry(mesh, id);
    answer(mesh, late, 200);
    expect(mesh.task(id).callback).toMatchObject({ state: "waiting", attempts: [] });
    cancel(mesh, id);
    present(claim(mesh));
    answer(mesh, late, 200);
    expect(mesh.task(id).callback).toMatchObject({
      state: "pending",
      attempts: [{ status: null }],
    });
  });
});
