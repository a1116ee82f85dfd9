import { MINUTE } from "../../../src/base/clock.ts";
import { describe, expect, test } from "vitest";
import { HOUR, SECOND } from "../../../src/base/clock.ts";
import {
  RESULT_UPLOAD_TIMEOUT,
  RESULT_UPLOADS_PER_TASK_MAX,
} from "../../../src/protocol/constants.ts";
import { TaskEvent } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;
const MEASURED = { bytes: 300_000, sha256: `${"A".repeat(43)}=` };

/** A mesh with one peer that runs one task. */
function meshWithRunningTask(task: Parameters<TestMesh["submit"]>[0] = { kind: "echo" }) {
  const mesh = new TestMesh();
  const peer = mesh.join(A);
  const { id } = mesh.submit(task);
  peer.accept();
  return { mesh, peer, id };
}

/** The attempt that a result ticket names. A ticket names no session. */
function ticketOf(peer: TestPeer, offer = peer.offer) {
  const { epoch: _epoch, ...attempt } = peer.attempt(offer);
  return attempt;
}
const beginUpload = (mesh: TestMesh, peer: TestPeer) =>
  mesh.run("begin_result", ticketOf(peer)).blobId;
const commitInput = (peer: TestPeer, blobId: string) => ({
  ...ticketOf(peer),
  blobId,
  ...MEASURED,
});

describe("a large result", () => {
  test("AS23 an upload survives a restart of the coordinator, and its result is committed once", () => {
    const { mesh, peer, id } = meshWithRunningTask();
    const blobId = beginUpload(mesh, peer);
    mesh.restart();
    mesh.run("commit_result", commitInput(peer, blobId));
    expect(mesh.task(id)).toMatchObject({
      state: "succeeded",
      result: null,
      result_bytes: 300_000,
    });
    expect(peer.view).toMatchObject({ successes: 1, tasks: 0 });
    expect(mesh.errorOf("commit_result", commitInput(peer, blobId)).code).toBe("lease_lost");
    expect(mesh.errorOf("begin_result", ticketOf(peer)).code).toBe("lease_lost");
  });

  test("AS23 a result of an older attempt is refused when another peer has begun the task", () => {
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", lease_seconds: 5 });
    const lateCommit = commitInput(peer, beginUpload(mesh, peer));
    const other = mesh.join(B, { rttMs: 900 });
    mesh.runFor(8 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    other.accept();
    expect(mesh.errorOf("commit_result", lateCommit).code).toBe("lease_lost");
    expect(mesh.errorOf("commit_result", { ...lateCommit, peerId: B.id }).code).toBe("lease_lost");
  });

  test("AS23 a result is accepted while its peer is disconnected, if no other peer holds the task", () => {
    const { mesh, peer, id } = meshWithRunningTask({
      kind: "echo",
      max_attempts: 2,
      backoff: { first_seconds: 60 },
    });
    const blobId = beginUpload(mesh, peer);
    peer.leave();
    expect(mesh.task(id).state).toBe("queued");
    mesh.run("commit_result", commitInput(peer, blobId));
    expect(mesh.task(id).state).toBe("succeeded");
  });

  test.for([
    ["revoked", (mesh: TestMesh): void => void mesh.run("revoke_peer", { id: A.id })],
    [
      "not allowed",
      (mesh: TestMesh): void => void mesh.run("set_auth_mode", { mode: "allowlist" }),
    ],
    ["forgotten", (mesh: TestMesh): void => void mesh.run("forget_peer", { id: A.id })],
  ] as const)(
    "AS23 a result of a peer that is %s is refused, even if no other peer holds the task",
    ([, bar]) => {
      const { mesh, peer, id } = meshWithRunningTask({
        kind: "echo",
        backoff: { first_seconds: 60 },
      });
      const lateCommit = commitInput(peer, beginUpload(mesh, peer));
      bar(mesh);
      expect(mesh.task(id).state).toBe("queued");
      expect(mesh.errorOf("begin_result", ticketOf(peer)).code).toBe("lease_lost");
      expect(mesh.errorOf("commit_result", lateCommit).code).toBe("lease_lost");
    },
  );

  test("AS23 a result is refused after the deadline, even before the tick that expires the task", () => {
    const { mesh, peer } = meshWithRunningTask({
      kind: "echo",
      deadline_seconds: 10,
      lease_seconds: 60,
    });
    const lateCommit = commitInput(peer, beginUpload(mesh, peer));
    mesh.advanceClock(10 * SECOND);
    expect(mesh.errorOf("commit_result", lateCommit).code).toBe("lease_lost");
  });

  test("AS23 starting an upload renews the lease, and the number of uploads per attempt is limited", () => {
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", lease_seconds: 60 });
    mesh.runFor(50 * SECOND);
    for (let n = 0; n < RESULT_UPLOADS_PER_TASK_MAX; n++) beginUpload(mesh, peer);
    expect(mesh.errorOf("begin_result", ticketOf(peer)).code).toBe("rate_limited");
    mesh.runFor(50 * SECOND);
    expect(mesh.task(id).state).toBe("running");
  });

  test("AS23 an upload that takes too long is deleted, and the peer has to start again", () => {
    const { mesh, peer } = meshWithRunningTask({
      kind: "echo",
      lease_seconds: 3_600,
      attempt_timeout_seconds: 9_000,
      deadline_seconds: 9_000,
    });
    const blobId = beginUpload(mesh, peer);
    mesh.advanceClock(RESULT_UPLOAD_TIMEOUT - 1);
    peer.progress(0.5);
    mesh.tick();
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).toBeNull();
    mesh.storeUnavailable = true;
    mesh.advanceClock(1);
    mesh.tick();
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).not.toBeNull();
    mesh.storeUnavailable = false;
    mesh.runFor(MINUTE);
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).toBeNull();
    expect(mesh.errorOf("commit_result", commitInput(peer, blobId)).code).toBe("unavailable");
    mesh.run("commit_result", commitInput(peer, beginUpload(mesh, peer)));
  });

  test("AS23 a task's callback links to its large result", () => {
    const callback = { url: "https://one.example/hook" };
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", callback });
    mesh.run("commit_result", commitInput(peer, beginUpload(mesh, peer)));
    const { request } = mesh.run("claim_callback", { busy: [] });
    const event = TaskEvent.parse(JSON.parse(present(request).body));
    expect(event).toMatchObject({
      type: "task.succeeded",
      data: { id, result: null, result_bytes: 300_000, result_url: `/v1/tasks/${id}/result` },
    });
  });

  test("AS23 a large result is removed with its task 30 days after the end", () => {
    const { mesh, peer, id } = meshWithRunningTask();
    mesh.run("commit_result", commitInput(peer, beginUpload(mesh, peer)));
    mesh.advanceClock(30 * 24 * HOUR + 1);
    mesh.tick();
    expect(mesh.registry.tasks.get(id)).toBeNull();
    expect(mesh.registry.taskResults.get(id).blobId).toBeNull();
  });
});
