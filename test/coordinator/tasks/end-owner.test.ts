import { describe, expect, test } from "vitest";
import { DAY, MINUTE } from "../../../src/base/clock.ts";
import type { SubmitInput } from "../../../src/contract/tasks.ts";
import { EventMapping, type SubmitTaskInput } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh, type Key } from "../mesh.ts";

const [A, B, C] = KEYS;
const CALLBACK = { url: "https://one.example/hook" };

/** An owner of tasks, and how it loses the right to cause any. */
interface Owner {
  /** What its submissions state. */
  readonly from: Pick<SubmitInput, "owner" | "source">;
  /** By which it is named in `ended_owners` and in the audit log. */
  readonly key: string;
  readonly reason: string;
  end(keepTasks?: boolean): void;
}

const allowDual = (mesh: TestMesh, { id, publicKey }: Key): void =>
  void mesh.run("allow", {
    publicKey,
    peerId: id,
    label: "",
    roles: ["dual"],
    readmit: true,
    go_p2p: false,
  });

const putSource = (mesh: TestMesh): void =>
  void mesh.run("put_webhook_source", {
    name: "ci",
    scheme: "github",
    signature: null,
    sealedSecrets: ["c2VhbGVk"],
    mapping: EventMapping.parse({ kind: "build" }),
    filters: [],
    maxBytes: null,
    maxBodyBytes: null,
    identity: null,
  });

/** Each kind of owner. */
const OWNERS: Readonly<Record<string, (mesh: TestMesh) => Owner>> = {
  "a token": (mesh) => {
    const { id } = mesh.run("create_token", { label: "", scope: "controller" });
    return {
      from: { owner: id, source: "api" },
      key: id,
      reason: "owner revoked",
      end: (keepTasks = false) => void mesh.run("revoke_token", { id, keepTasks }),
    };
  },
  "a connected peer": (mesh) => {
    allowDual(mesh, C);
    mesh.join(C, { claimedRole: "controller" });
    return peerOwner(mesh, C);
  },
  "a peer without a record": (mesh) => peerOwner(mesh, C),
  "a webhook source": (mesh) => {
    putSource(mesh);
    return {
      from: { owner: "admin", source: "webhook:ci" },
      key: "webhook:ci",
      reason: "webhook source removed",
      end: (keepTasks = false) => void mesh.run("remove_webhook_source", { name: "ci", keepTasks }),
    };
  },
};

const peerOwner = (mesh: TestMesh, { id }: Key): Owner => ({
  from: { owner: id, source: "peer" },
  key: id,
  reason: "owner revoked",
  end: (keepTasks = false) => void mesh.run("revoke_peer", { id, keepTasks }),
});

const submitAs = (mesh: TestMesh, { from }: Pick<Owner, "from">, task: SubmitTaskInput): string =>
  mesh.run("submit_task", submission(task, from)).task.id;

const statesOf = (mesh: TestMesh, ids: readonly string[]) =>
  ids.map((id) => {
    const { state, error } = mesh.task(id);
    return [state, error];
  });

/** Copies of a queued task of this owner, directly in the queue. Returns their number with the first. */
function fillQueue(mesh: TestMesh, owner: Owner, count: number): readonly string[] {
  const first = submitAs(mesh, owner, { kind: "idle", callback: CALLBACK });
  const task = present(mesh.registry.tasks.get(first));
  const callback = present(mesh.registry.callbacks.get(first));
  const ids = Array.from({ length: count - 1 }, (_, i) => `${first} ${i}`);
  mesh.registry.transaction(() => {
    for (const id of ids) {
      mesh.registry.tasks.insert({ ...task, id });
      mesh.registry.callbacks.insert({ ...callback, taskId: id });
    }
  });
  return [first, ...ids];
}

describe.for(Object.keys(OWNERS))("ending the tasks of %s", (name) => {
  const setUp = () => {
    const mesh = new TestMesh();
    const owner = present(OWNERS[name])(mesh);
    const other = { from: { owner: "admin", source: "api" } };
    return { mesh, owner, other };
  };

  test("AD20 cancels what is queued, scheduled, offered and running, tells the peers, and leaves all other tasks", () => {
    const { mesh, owner, other } = setUp();
    const worker = mesh.join(A, { kinds: ["echo"], slots: 2 });
    const running = submitAs(mesh, owner, { kind: "echo" });
    worker.accept();
    const offered = submitAs(mesh, owner, { kind: "echo" });
    const queued = submitAs(mesh, owner, { kind: "nobody" });
    const not_before = new Date(mesh.now + DAY).toISOString();
    const scheduled = submitAs(mesh, owner, { kind: "echo", not_before });
    const others = submitAs(mesh, other, { kind: "nobody" });
    owner.end();
    const ids = [running, offered, queued, scheduled];
    expect(statesOf(mesh, ids)).toEqual(ids.map(() => ["cancelled", owner.reason]));
    expect(mesh.task(others).state).toBe("queued");
    expect(worker.cancelled.map(({ taskId }) => taskId).toSorted()).toEqual(
      [running, offered].toSorted(),
    );
    expect(worker.view.tasks).toBe(0);
  });

  test("AD20 gives up the callbacks of its tasks, also of those that ended before", () => {
    const { mesh, owner, other } = setUp();
    const task = { kind: "nobody", callback: CALLBACK };
    const [before, after] = [submitAs(mesh, owner, task), submitAs(mesh, owner, task)];
    const others = submitAs(mesh, other, task);
    for (const id of [before, others]) mesh.run("cancel_task", { id, visibleTo: null });
    owner.end();
    for (const id of [before, after])
      expect(mesh.task(id).callback).toMatchObject({ state: "cancelled", next_at: null });
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request?.taskId).toBe(
      others,
    );
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request).toBeNull();
  });

  test("AD20 with keep_tasks leaves its tasks and its callbacks", () => {
    const { mesh, owner } = setUp();
    const id = submitAs(mesh, owner, { kind: "echo", callback: CALLBACK });
    owner.end(true);
    const worker = mesh.join(A);
    expect(worker.offer.task_id).toBe(id);
    worker.finish();
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request?.taskId).toBe(
      id,
    );
  });

  test("AD21 ends many tasks in parts, of which none is offered and no callback is sent meanwhile", () => {
    const { mesh, owner, other } = setUp();
    const ids = fillQueue(mesh, owner, 1_050);
    const last = submitAs(mesh, other, { kind: "idle", callback: CALLBACK });
    const cancelledNow = () =>
      mesh.rows("SELECT COUNT(*) AS count FROM tasks WHERE state = 'cancelled'")[0]?.["count"];
    owner.end();
    expect(cancelledNow()).toBe(200);
    // A peer that could do them all comes, and gets the other owner's only.
    const worker = mesh.join(B, { kinds: ["idle"], slots: 64 }).earn(64);
    expect(worker.offers.map((offer) => offer.task_id)).toContain(last);
    for (let part = 2; part <= 5; part++) {
      mesh.tick();
      expect(cancelledNow()).toBe(part * 200);
      expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request).toBeNull();
    }
    mesh.runFor(MINUTE);
    expect(new Set(statesOf(mesh, ids).map(String))).toEqual(
      new Set([`cancelled,${owner.reason}`]),
    );
    const offered = new Set(worker.offers.map((offer) => offer.task_id));
    expect(ids.filter((id) => offered.has(id))).toEqual([]);
    const [entry] = mesh.run("list_audit", { limit: 1, act: "end_owner" }).entries;
    expect(entry).toMatchObject({ subject: owner.key, actor: "mesh", detail: { tasks: 1_050 } });
  });

  test("AD21 ends the rest after a restart", () => {
    const { mesh, owner } = setUp();
    const ids = fillQueue(mesh, owner, 450);
    owner.end();
    mesh.restart();
    const worker = mesh.join(B, { kinds: ["idle"], slots: 9 });
    expect(worker.offers).toEqual([]);
    mesh.runFor(MINUTE);
    expect(new Set(statesOf(mesh, ids).map(String))).toEqual(
      new Set([`cancelled,${owner.reason}`]),
    );
    expect(mesh.registry.endedOwners.unfinished()).toEqual([]);
  });

  test("AD22 the operator retries such a task for itself: its callback stays given up until the operator asks for it", () => {
    const { mesh, owner } = setUp();
    const id = submitAs(mesh, owner, { kind: "echo", callback: CALLBACK });
    owner.end();
    mesh.run("retry_task", { id, visibleTo: null });
    const worker = mesh.join(A);
    expect(worker.offer.task_id).toBe(id);
    worker.finish();
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", callback: { state: "cancelled" } });
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request).toBeNull();
    mesh.run("repeat_callback", { id, visibleTo: null });
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request?.taskId).toBe(
      id,
    );
  });

  test("AD22 while its tasks are being cancelled none is retried, and no callback of them is repeated", () => {
    const { mesh, owner } = setUp();
    const early = submitAs(mesh, owner, { kind: "nobody", callback: CALLBACK });
    mesh.run("cancel_task", { id: early, visibleTo: null });
    fillQueue(mesh, owner, 300);
    owner.end();
    const input = { id: early, visibleTo: null };
    expect(mesh.errorOf("retry_task", input)).toMatchObject({ code: "unavailable", retryAfter: 2 });
    mesh.runFor(MINUTE);
    expect(mesh.run("retry_task", input).state).toBe("queued");
  });

  test("AD20 a late answer to a callback that was under way changes nothing", () => {
    const { mesh, owner } = setUp();
    const id = submitAs(mesh, owner, { kind: "nobody", callback: CALLBACK });
    mesh.run("cancel_task", { id, visibleTo: null });
    const request = present(
      mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request,
    );
    owner.end();
    const { taskId, retries, attempt } = request;
    const answer = { status: 500, error: "HTTP 500", retryAfter: null };
    mesh.run("callback_answered", { taskId, retries, attempt, answer });
    mesh.runFor(DAY);
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request).toBeNull();
    expect(mesh.task(id).callback?.state).toBe("cancelled");
  });
});

describe("a callback that is under way while its owner's many callbacks are given up", () => {
  // Its next attempt would be due before others that the first part has passed already.
  test.for([
    ["fails", { status: 500, error: "HTTP 500", retryAfter: null }],
    ["is put off", { status: 503, error: "HTTP 503", retryAfter: 5_000 }],
    ["gets no answer", { status: null, error: "connection refused", retryAfter: null }],
  ] as const)("AD21 is not attempted again when it %s", ([, answer]) => {
    const mesh = new TestMesh();
    const owner = peerOwner(mesh, C);
    const id = submitAs(mesh, owner, { kind: "nobody", callback: CALLBACK });
    mesh.run("cancel_task", { id, visibleTo: null });
    const request = present(
      mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request,
    );
    const others = fillQueue(mesh, { ...owner, from: { owner: "admin", source: "api" } }, 600);
    mesh.registry.transaction(() => {
      for (const [at, taskId] of others.entries()) {
        const callback = present(mesh.registry.callbacks.get(taskId));
        mesh.registry.callbacks.update({
          ...callback,
          state: "pending",
          dueAt: mesh.now + 10 * at,
        });
      }
    });
    owner.end();
    const { taskId, retries, attempt } = request;
    mesh.run("callback_answered", { taskId, retries, attempt, answer });
    mesh.runFor(MINUTE);
    expect(mesh.registry.endedOwners.unfinished()).toEqual([]);
    expect(mesh.task(id).callback).toMatchObject({ state: "cancelled", next_at: null });
  });
});

describe("an owner that may cause tasks again", () => {
  test("AD23 a readmitted peer's new tasks run and their callbacks are sent; those of before stay cancelled", () => {
    const mesh = new TestMesh();
    const owner = peerOwner(mesh, C);
    const before = submitAs(mesh, owner, { kind: "nobody", callback: CALLBACK });
    owner.end();
    allowDual(mesh, C);
    const after = submitAs(mesh, owner, { kind: "nobody", callback: CALLBACK });
    mesh.runFor(MINUTE);
    expect([before, after].map((id) => mesh.task(id).state)).toEqual(["cancelled", "queued"]);
    mesh.run("cancel_task", { id: after, visibleTo: null });
    expect(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request?.taskId).toBe(
      after,
    );
  });

  test("AD23 a key is not readmitted, nor a source created again, while tasks of before are being cancelled", () => {
    const mesh = new TestMesh();
    for (const name of ["a peer without a record", "a webhook source"]) {
      const owner = present(OWNERS[name])(mesh);
      fillQueue(mesh, owner, 300);
      owner.end();
    }
    expect(mesh.errorOf("lift_denial", { id: C.id }).code).toBe("unavailable");
    expect(() => allowDual(mesh, C)).toThrow();
    expect(() => putSource(mesh)).toThrow();
    mesh.runFor(MINUTE);
    mesh.run("lift_denial", { id: C.id });
    putSource(mesh);
  });
});

describe("a token that was revoked", () => {
  test("AD24 no command of it is run that arrives after its revocation, whatever the gateway had checked before", () => {
    const mesh = new TestMesh();
    const { id } = mesh.run("create_token", { label: "", scope: "controller" });
    const early = submitAs(mesh, { from: { owner: id, source: "api" } }, { kind: "nobody" });
    const actor = `token:${id}`;
    const submit = () =>
      mesh.executeGroup([
        { name: "submit_task", input: submission({ kind: "x" }, { owner: id }), actor },
        { name: "retry_task", input: { id: early, visibleTo: id }, actor },
        { name: "discovery_keys", input: { tokenId: id }, actor },
      ]).executed;
    expect(submit().map(({ result }) => result.ok)).toEqual([true, true, true]);
    mesh.run("revoke_token", { id });
    for (const { result } of submit())
      expect(result).toMatchObject({ ok: false, error: { code: "unauthorized" } });
    mesh.restart();
    for (const { result } of submit()) expect(result.ok).toBe(false);
    expect(mesh.task(early).state).toBe("cancelled");
  });
});

describe("who submitted a task", () => {
  test("AD25 a task's view shows its owner, and lists filter by it, within what the caller may see", () => {
    const mesh = new TestMesh();
    const owners = ["admin", "0011", C.id];
    for (const owner of owners) submitAs(mesh, { from: { owner, source: "api" } }, { kind: "x" });
    const listed = (owner: string | undefined, visibleTo: string | null) =>
      mesh.run("list_tasks", { limit: 9, owner, visibleTo }).tasks.map((task) => task.owner);
    expect(new Set(listed(undefined, null))).toEqual(new Set(owners));
    for (const owner of owners) expect(listed(owner, null)).toEqual([owner]);
    expect(listed("0011", "0011")).toEqual(["0011"]);
    expect(listed("admin", "0011")).toEqual([]);
  });

  test("AD26 the audit log says once a day who submits tasks, also across restarts", () => {
    const mesh = new TestMesh();
    const owner = { from: { owner: "0011", source: "api" } };
    const entries = () =>
      mesh.run("list_audit", { limit: 9, act: "submit_tasks", subject: "0011" }).entries;
    const first = submitAs(mesh, owner, { kind: "x" });
    for (let i = 0; i < 20; i++) submitAs(mesh, owner, { kind: "y" });
    mesh.restart();
    submitAs(mesh, owner, { kind: "y" });
    expect(entries()).toMatchObject([{ actor: "admin", detail: { first, kind: "x" } }]);
    mesh.advanceClock(DAY);
    submitAs(mesh, owner, { kind: "y" });
    expect(entries()).toHaveLength(2);
  });
});
