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

/** A mesh with one peer that works on one task. */
function working(task: Parameters<TestMesh["submit"]>[0] = { kind: "echo" }) {
  const mesh = new TestMesh();
  const peer = mesh.join(A);
  const { id } = mesh.submit(task);
  peer.accept();
  return { mesh, peer, id };
}

/** What a ticket says: no session is named. */
function ticketOf(peer: TestPeer, offer = peer.offer) {
  const { epoch: _epoch, ...attempt } = peer.claim(offer);
  return attempt;
}
const begin = (mesh: TestMesh, peer: TestPeer) => mesh.run("begin_result", ticketOf(peer)).blobId;
const commit = (peer: TestPeer, blobId: string) => ({ ...ticketOf(peer), blobId, ...MEASURED });

describe("a large result", () => {
  test("AS23 an upload survives a restart of the coordinator, and its result is committed once", () => {
    const { mesh, peer, id } = working();
    const blobId = begin(mesh, peer);
    mesh.restart();
    mesh.run("commit_result", commit(peer, blobId));
    expect(mesh.task(id)).toMatchObject({
      state: "succeeded",
      result: null,
      result_bytes: 300_000,
    });
    expect(peer.view).toMatchObject({ successes: 1, tasks: 0 });
    expect(mesh.refusal("commit_result", commit(peer, blobId)).code).toBe("lease_lost");
    expect(mesh.refusal("begin_result", ticketOf(peer)).code).toBe("lease_lost");
  });

  test("AS23 a result of an older attempt is refused when another peer holds the task", () => {
    const { mesh, peer, id } = working({ kind: "echo", lease_seconds: 5 });
    const late = commit(peer, begin(mesh, peer));
    const other = mesh.join(B, { rttMs: 900 });
    mesh.live(8 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    expect(mesh.refusal("commit_result", late).code).toBe("lease_lost");
    expect(mesh.refusal("commit_result", { ...late, peerId: B.id }).code).toBe("lease_lost");
  });

  test("AS23 a result is accepted while its peer is disconnected, if no other peer holds the task", () => {
    const { mesh, peer, id } = working({
      kind: "echo",
      max_attempts: 2,
      backoff: { first_seconds: 60 },
    });
    const blobId = begin(mesh, peer);
    peer.leave();
    expect(mesh.task(id).state).toBe("queued");
    mesh.run("commit_result", commit(peer, blobId));
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
      const { mesh, peer, id } = working({ kind: "echo", backoff: { first_seconds: 60 } });
      const late = commit(peer, begin(mesh, peer));
      bar(mesh);
      expect(mesh.task(id).state).toBe("queued");
      expect(mesh.refusal("begin_result", ticketOf(peer)).code).toBe("lease_lost");
      expect(mesh.refusal("commit_result", late).code).toBe("lease_lost");
    },
  );

  test("AS23 a result is refused after the deadline, even before the tick that expires the task", () => {
    const { mesh, peer } = working({ kind: "echo", deadline_seconds: 10, lease_seconds: 60 });
    const late = commit(peer, begin(mesh, peer));
    mesh.pass(10 * SECOND);
    expect(mesh.refusal("commit_result", late).code).toBe("lease_lost");
  });

  test("AS23 starting an upload renews the lease, and the number of uploads per attempt is limited", () => {
    const { mesh, peer, id } = working({ kind: "echo", lease_seconds: 60 });
    mesh.live(50 * SECOND);
    for (let n = 0; n < RESULT_UPLOADS_PER_TASK_MAX; n++) begin(mesh, peer);
    expect(mesh.refusal("begin_result", ticketOf(peer)).code).toBe("rate_limited");
    mesh.live(50 * SECOND);
    expect(mesh.task(id).state).toBe("running");
  });

  test("AS23 an upload that takes too long is deleted, and the peer has to start again", () => {
    const { mesh, peer } = working({ kind: "echo", lease_seconds: 3_600, deadline_seconds: 9_000 });
    const blobId = begin(mesh, peer);
    mesh.pass(RESULT_UPLOAD_TIMEOUT - 1);
    peer.progress(0.5);
    mesh.tick();
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).toBeNull();
    mesh.storeDown = true;
    mesh.pass(1);
    mesh.tick();
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).not.toBeNull();
    mesh.storeDown = false;
    mesh.live(MINUTE);
    expect(mesh.registry.outbox.dueAt({ kind: "delete_result", blobId })).toBeNull();
    expect(mesh.refusal("commit_result", commit(peer, blobId)).code).toBe("unavailable");
    mesh.run("commit_result", commit(peer, begin(mesh, peer)));
  });

  test("AS23 a task's callback links to its large result", () => {
    const callback = { url: "https://one.example/hook" };
    const { mesh, peer, id } = working({ kind: "echo", callback });
    mesh.run("commit_result", commit(peer, begin(mesh, peer)));
    const { request } = mesh.run("claim_callback", { busy: [] });
    const event = TaskEvent.parse(JSON.parse(present(request).body));
    expect(event).toMatchObject({
      type: "task.succeeded",
      data: { id, result: null, result_bytes: 300_000, result_url: `/v1/tasks/${id}/result` },
    });
  });

  test("AS23 a large result is removed with its task 30 days after the end", () => {
    const { mesh, peer, id } = working();
    mesh.run("commit_result", commit(peer, begin(mesh, peer)));
    mesh.pass(30 * 24 * HOUR + 1);
    mesh.tick();
    expect(mesh.registry.tasks.get(id)).toBeNull();
    expect(mesh.registry.taskResults.get(id).blobId).toBeNull();
  });
});
