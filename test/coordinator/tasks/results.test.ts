import { MINUTE } from "../../../src/base/clock.ts";
import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../../src/base/json-text/json-text.ts";
import { HOUR, SECOND } from "../../../src/base/clock.ts";
import {
  KEPT_RESULT_BYTES_MAX,
  RESULT_UPLOAD_TIMEOUT,
  RESULT_UPLOADS_PER_ATTEMPT_MAX,
} from "../../../src/protocol/constants.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { platformVerify } from "../../../src/crypto/ed25519.ts";
import { newKeyPair } from "../../../src/crypto/key-pairs.ts";
import { verifierOf } from "../../../src/discovery/signed-statements.ts";
import { TaskEvent } from "../../../src/protocol/http.ts";
import type { ResultContent } from "../../../src/protocol/result-content.ts";
import { present } from "../../must.ts";
import { seededRandom } from "../../random.ts";
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
const uploadedInput = (peer: TestPeer, blobId: string, content: ResultContent = MEASURED) => ({
  ...ticketOf(peer),
  blobId,
  ...content,
});
/** What the peer's session says of an upload. */
const namedInput = (peer: TestPeer, uploaded: ResultContent = MEASURED, sealed?: true) => {
  const { task_id, fence } = peer.offer;
  const outcome = {
    task_id,
    fence,
    ok: true,
    result: NULL_JSON,
    uploaded,
    ...(sealed && { sealed }),
  } as const;
  return { peerId: peer.id, epoch: peer.epoch, outcome };
};

/** Uploads a result, and has the session commit it. */
function upload(mesh: TestMesh, peer: TestPeer): void {
  mesh.run("result_uploaded", uploadedInput(peer, beginUpload(mesh, peer)));
  mesh.run("finish_task", namedInput(peer));
}

describe("a large result", () => {
  test("AS23 an upload survives a restart of the coordinator, and its result is committed once", () => {
    const { mesh, peer, id } = meshWithRunningTask();
    const blobId = beginUpload(mesh, peer);
    mesh.restart();
    mesh.run("result_uploaded", uploadedInput(peer, blobId));
    expect(mesh.task(id).state).toBe("running");
    mesh.restart();
    mesh.run("finish_task", namedInput(peer));
    expect(mesh.task(id)).toMatchObject({
      state: "succeeded",
      result: null,
      result_bytes: 300_000,
    });
    expect(peer.view).toMatchObject({ successes: 1, tasks: 0 });
    mesh.run("finish_task", namedInput(peer)); // sent again: answered as the first time
    expect(peer.view).toMatchObject({ successes: 1, tasks: 0 });
    expect(mesh.errorOf("result_uploaded", uploadedInput(peer, blobId)).code).toBe("lease_lost");
    expect(mesh.errorOf("begin_result", ticketOf(peer)).code).toBe("lease_lost");
  });

  test.for([
    ["another digest", { ...MEASURED, sha256: `${"B".repeat(43)}=` }],
    ["another length", { ...MEASURED, bytes: 300_001 }],
  ] as const)("AS101 bytes with %s than the session names are never committed", ([, forged]) => {
    const { mesh, peer, id } = meshWithRunningTask();
    mesh.run("result_uploaded", uploadedInput(peer, beginUpload(mesh, peer), forged));
    expect(mesh.errorOf("finish_task", namedInput(peer)).code).toBe("conflict");
    expect(mesh.task(id)).toMatchObject({ state: "running", result_url: null });
    const blobId = beginUpload(mesh, peer);
    mesh.run("result_uploaded", uploadedInput(peer, blobId));
    mesh.run("finish_task", namedInput(peer));
    expect(mesh.registry.taskResults.get(id)).toMatchObject({ blobId, ...MEASURED });
  });

  test("AS101 an upload that has begun and stored nothing, or none at all, commits nothing", () => {
    const { mesh, peer, id } = meshWithRunningTask();
    expect(mesh.errorOf("finish_task", namedInput(peer)).code).toBe("conflict");
    beginUpload(mesh, peer);
    expect(mesh.errorOf("finish_task", namedInput(peer)).code).toBe("conflict");
    expect(mesh.task(id).state).toBe("running");
  });

  test.for([
    ["sealed", {}, true],
    ["plain", { seal_to: toHex(newKeyPair(seededRandom(5)).publicKey) }, undefined],
  ] as const)(
    "AS24 a %s upload is refused where the task asks for the other",
    ([, form, sealed]) => {
      const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", ...form });
      mesh.run("result_uploaded", uploadedInput(peer, beginUpload(mesh, peer)));
      expect(mesh.errorOf("finish_task", namedInput(peer, MEASURED, sealed)).code).toBe(
        "invalid_request",
      );
      expect(mesh.task(id).state).toBe("running");
    },
  );

  test("AS103 the mesh signs fence, digest, length and sealing of a large result", async () => {
    const { mesh, peer, id } = meshWithRunningTask();
    upload(mesh, peer);
    const task = mesh.task(id);
    const { result_signature: signature, result_fence: fence, result_sha256: sha256 } = task;
    const signed = {
      task_id: id,
      fence: present(fence),
      bytes: present(task.result_bytes),
      sha256: present(sha256),
      sealed: false,
      signature: present(signature),
    };
    const { verifyingKey } = mesh.config.discovery;
    const verifier = verifierOf(verifyingKey, await platformVerify());
    expect(await verifier.result(signed)).toBe(true);
    for (const forged of [
      { ...signed, task_id: crypto.randomUUID() },
      { ...signed, fence: 2 },
      { ...signed, bytes: 300_001 },
      { ...signed, sha256: `${"B".repeat(43)}=` },
      { ...signed, sealed: true },
      { ...signed, signature: "00".repeat(64) },
    ])
      expect(await verifier.result(forged)).toBe(false);
    expect(await verifier.directory(signed)).toBe(false);
  });

  test("AS23 a result of an older attempt is refused when another peer has begun the task", () => {
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", lease_seconds: 5 });
    const late = uploadedInput(peer, beginUpload(mesh, peer));
    const lateName = namedInput(peer);
    mesh.run("result_uploaded", late);
    const other = mesh.join(B, { rttMs: 900 });
    mesh.runFor(8 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    other.accept();
    expect(mesh.errorOf("result_uploaded", late).code).toBe("lease_lost");
    expect(mesh.errorOf("result_uploaded", { ...late, peerId: B.id }).code).toBe("lease_lost");
    expect(mesh.errorOf("finish_task", lateName).code).toBe("lease_lost");
  });

  test("AS23 a result is uploaded while its peer is disconnected, and committed when it is back", () => {
    const { mesh, peer, id } = meshWithRunningTask({
      kind: "echo",
      max_attempts: 2,
      backoff: { first_seconds: 60 },
    });
    const blobId = beginUpload(mesh, peer);
    peer.leave();
    expect(mesh.task(id).state).toBe("queued");
    mesh.run("result_uploaded", uploadedInput(peer, blobId));
    expect(mesh.task(id).state).toBe("running");
    peer.join();
    mesh.run("finish_task", namedInput(peer));
    expect(mesh.task(id).state).toBe("succeeded");
  });

  test("AS23 a result is refused after the deadline, even before the tick that expires the task", () => {
    const { mesh, peer } = meshWithRunningTask({
      kind: "echo",
      deadline_seconds: 10,
      lease_seconds: 60,
    });
    mesh.run("result_uploaded", uploadedInput(peer, beginUpload(mesh, peer)));
    mesh.advanceClock(10 * SECOND);
    expect(mesh.errorOf("finish_task", namedInput(peer)).code).toBe("lease_lost");
  });

  test("AS23 starting an upload renews the lease, and the number of uploads per attempt is limited", () => {
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", lease_seconds: 60 });
    mesh.runFor(50 * SECOND);
    for (let n = 0; n < RESULT_UPLOADS_PER_ATTEMPT_MAX; n++) beginUpload(mesh, peer);
    expect(mesh.errorOf("begin_result", ticketOf(peer)).code).toBe("rate_limited");
    mesh.runFor(50 * SECOND);
    expect(mesh.task(id).state).toBe("running");
  });

  test("AS23 the uploads of an attempt leave those of the next one their number, whoever ended it and however", () => {
    for (const end of ["gives the task up", "is lost"]) {
      const { mesh, peer, id } = meshWithRunningTask({
        kind: "echo",
        max_attempts: 3,
        backoff: { first_seconds: 1 },
      });
      for (let n = 0; n < RESULT_UPLOADS_PER_ATTEMPT_MAX; n++) beginUpload(mesh, peer);
      mesh.advanceClock(SECOND);
      const next = mesh.join(B, { rttMs: 900 });
      if (end === "gives the task up") peer.fail();
      mesh.run("revoke_peer", { id: peer.id });
      mesh.runFor(3 * SECOND);
      expect(next.offer.task_id).toBe(id);
      next.accept();
      mesh.run("result_uploaded", uploadedInput(next, beginUpload(mesh, next)));
      mesh.run("finish_task", namedInput(next));
      expect(mesh.task(id).state).toBe("succeeded");
    }
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
    expect(mesh.errorOf("result_uploaded", uploadedInput(peer, blobId)).code).toBe("unavailable");
    upload(mesh, peer);
  });

  test("AS23 a task's callback links to its large result", () => {
    const callback = { url: "https://one.example/hook" };
    const { mesh, peer, id } = meshWithRunningTask({ kind: "echo", callback });
    upload(mesh, peer);
    const { request } = mesh.run("claim_callback", { inProgress: [], afterOwners: {} });
    const event = TaskEvent.parse(JSON.parse(present(request).body));
    expect(event).toMatchObject({
      type: "task.succeeded",
      data: { id, result: NULL_JSON, result_bytes: 300_000, result_url: `/v1/tasks/${id}/result` },
    });
  });

  test("AS23 a large result is removed with its task 30 days after the end", () => {
    const { mesh, peer, id } = meshWithRunningTask();
    upload(mesh, peer);
    mesh.advanceClock(30 * 24 * HOUR + 1);
    mesh.tick();
    expect(mesh.registry.tasks.get(id)).toBeNull();
    expect(mesh.registry.taskResults.get(id).blobId).toBeNull();
  });
});

describe("large results that the mesh stores for peers that can't upload", () => {
  test("GP37 have at most their share of an owner, whose oldest such tasks give way with their blobs", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const bytes = 24 * 1_024 * 1_024;
    const fit = Math.floor(KEPT_RESULT_BYTES_MAX / bytes);
    const small = mesh.submit({ kind: "echo" });
    peer.accept();
    mesh.run("finish_task", peer.successInput("small"));
    const ids: string[] = [];
    for (let n = 0; n < fit + 2; n++) {
      ids.push(mesh.submit({ kind: "echo" }).id);
      peer.accept();
      const content = { bytes, sha256: MEASURED.sha256 };
      mesh.run("result_uploaded", uploadedInput(peer, beginUpload(mesh, peer), content));
      mesh.run("finish_task", { ...namedInput(peer, content), forPeer: true });
      mesh.advanceClock(SECOND);
    }
    const left = ids.filter((id) => mesh.registry.tasks.get(id) !== null);
    expect(left).toEqual(ids.slice(-fit));
    expect(mesh.registry.taskResults.bytesKeptFor("admin")).toBe(fit * bytes);
    // A task whose result is with it does not give way, however old.
    expect(mesh.registry.tasks.get(small.id)).not.toBeNull();
  });

  test("GP37 count for no owner when a peer uploads them itself", () => {
    const { mesh, peer } = meshWithRunningTask();
    upload(mesh, peer);
    expect(mesh.registry.taskResults.bytesKeptFor("admin")).toBe(0);
  });
});
