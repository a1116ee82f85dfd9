import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { SubmitTask, type SubmitTaskInput } from "../../../src/protocol/http.ts";
import type { Role } from "../../../src/protocol/messages.ts";
import { KEYS, TestMesh, testKey, type TestPeer } from "../mesh.ts";
import { exactJsonOf } from "../../../src/base/json-text/json-text.ts";

const [A, B] = KEYS;

const entryOfA = (role: Role): Input<"allow"> => ({
  publicKey: A.publicKey,
  peerId: A.id,
  label: "",
  roles: [role],
  readmit: false,
  go_p2p: false,
});

/** A mesh with a controller, whose allowlist entry grants that role, and a worker. */
function meshWithController() {
  const mesh = new TestMesh();
  mesh.run("allow", entryOfA("controller"));
  const controller = mesh.join(A, { claimedRole: "controller", protocol: "muster/2" });
  return { mesh, controller, worker: mesh.join(B, { protocol: "muster/2" }) };
}

const senderOf = (peer: TestPeer) => ({ peerId: peer.view.id, epoch: peer.epoch });
const assignInput = (
  peer: TestPeer,
  task: SubmitTaskInput = { kind: "echo" },
  key: string | null = null,
): Input<"assign_task"> => ({ ...senderOf(peer), task: SubmitTask.parse(task), key });

const TENACIOUS = { kind: "echo", max_interruptions: 99 };

describe("a task that a peer assigns over its session", () => {
  test("AS25 a task assigned over a session is handled as over HTTP, and the peer is informed of its end", () => {
    const { mesh, controller, worker } = meshWithController();
    const { task } = mesh.run("assign_task", assignInput(controller));
    expect(task).toMatchObject({ state: "leased", source: "peer", kind: "echo" });
    worker.accept();
    worker.finish({ done: true });
    const report = mesh.effectsOfType("report");
    expect(report).toMatchObject([
      {
        to: { peerId: A.id, epoch: controller.epoch },
        shown: { task: { id: task.id, state: "succeeded", result: exactJsonOf({ done: true }) } },
      },
    ]);
    const { id } = task;
    expect(mesh.run("query_task", { ...senderOf(controller), id }).task.state).toBe("succeeded");
  });

  test("AS25 a task is shown with its newest 20 attempts, so that it fits into a frame", () => {
    const { mesh, controller, worker } = meshWithController();
    const { id } = mesh.run("assign_task", assignInput(controller, TENACIOUS)).task;
    for (let n = 1; n <= 30; n++) {
      worker.accept();
      worker.leave(`lost ${n}`);
      const { length } = worker.offers;
      worker.join({ protocol: "muster/2" });
      while (worker.offers.length === length) mesh.runFor(SECOND / 10);
    }
    const { attempts } = mesh.run("query_task", { ...senderOf(controller), id }).task;
    expect(attempts).toHaveLength(20);
    expect(attempts.at(-1)?.state).toBe("offered");
    expect(attempts.at(-2)?.error).toBe("lost 30");
  });

  test("AS25 a peer without the controller role cannot assign, query or recall tasks", () => {
    const { mesh, worker } = meshWithController();
    expect(mesh.errorOf("assign_task", assignInput(worker)).code).toBe("forbidden");
    const { id } = mesh.submit();
    for (const name of ["query_task", "recall_task", "retry_own_task"] as const)
      expect(mesh.errorOf(name, { ...senderOf(worker), id }).code).toBe("forbidden");
  });

  test("AS25 assigning is refused once the role is removed, and to an older session", () => {
    const { mesh, controller } = meshWithController();
    const old = assignInput(controller);
    controller.join({ claimedRole: "controller", protocol: "muster/2" });
    expect(mesh.errorOf("assign_task", old).code).toBe("forbidden");
    mesh.run("assign_task", assignInput(controller));
    mesh.run("allow", entryOfA("worker"));
    expect(mesh.errorOf("assign_task", assignInput(controller)).code).toBe("forbidden");
  });

  test("AS25 an idempotency key creates one task, also after the peer has rotated its key", () => {
    const { mesh, controller } = meshWithController();
    const first = mesh.run("assign_task", assignInput(controller, { kind: "echo" }, "once"));
    const again = mesh.run("assign_task", assignInput(controller, { kind: "echo" }, "once"));
    expect(again.task.id).toBe(first.task.id);
    const other = mesh.errorOf("assign_task", assignInput(controller, { kind: "other" }, "once"));
    expect(other.code).toBe("idempotency_mismatch");
    const next = testKey(900);
    mesh.run("rotate_peer", {
      ...senderOf(controller),
      newPeerId: next.id,
      newPublicKey: next.publicKey,
    });
    const rotated = mesh.join(next, { claimedRole: "controller", protocol: "muster/2" });
    const same = mesh.run("assign_task", assignInput(rotated, { kind: "echo" }, "once"));
    expect(same.task.id).toBe(first.task.id);
  });

  test("AS80 a controller retries its own tasks over its session, and is informed of the new end", () => {
    const { mesh, controller } = meshWithController();
    const { id } = mesh.run("assign_task", assignInput(controller)).task;
    mesh.run("recall_task", { ...senderOf(controller), id });
    const before = mesh.effectsOfType("report").length;
    const input = { ...senderOf(controller), id, max_attempts: 2 };
    expect(mesh.run("retry_own_task", input).task).toMatchObject({
      id,
      retries: 1,
      max_attempts: 2,
      ended_at: null,
    });
    mesh.run("recall_task", { ...senderOf(controller), id });
    expect(mesh.effectsOfType("report").slice(before)).toMatchObject([
      { to: { peerId: controller.id }, shown: { task: { id, state: "cancelled", retries: 1 } } },
    ]);
    const other = { ...senderOf(controller), id: mesh.submit().id };
    expect(mesh.errorOf("retry_own_task", other).code).toBe("not_found");
  });

  test("AS25 a peer cannot query or recall the tasks of other owners", () => {
    const { mesh, controller } = meshWithController();
    const { id } = mesh.submit();
    expect(mesh.errorOf("query_task", { ...senderOf(controller), id }).code).toBe("not_found");
    expect(mesh.errorOf("recall_task", { ...senderOf(controller), id }).code).toBe("not_found");
    const { task } = mesh.run("assign_task", assignInput(controller));
    const mine = { ...senderOf(controller), id: task.id };
    expect(mesh.run("recall_task", mine).task.state).toBe("cancelled");
    expect(mesh.run("recall_task", mine).task.state).toBe("cancelled");
  });

  test("AS25 a callback needs its own secret, because a peer has no owner's secret", () => {
    const { mesh, controller } = meshWithController();
    const callback = { url: "https://example.com/done" };
    const refused = mesh.errorOf(
      "assign_task",
      assignInput(controller, { kind: "echo", callback }),
    );
    expect(refused).toMatchObject({
      code: "invalid_request",
      detail: expect.stringContaining("callback.secret"),
    });
    const secret = `whsec_${"A".repeat(32)}`;
    mesh.run(
      "assign_task",
      assignInput(controller, { kind: "echo", callback: { ...callback, secret } }),
    );
  });
});
