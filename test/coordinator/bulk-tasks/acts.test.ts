import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { OWNER_QUEUE_MAX, QUEUE_MAX } from "../../../src/protocol/constants.ts";
import type { BulkView } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { KEYS, START, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const MISSING = "00000000-0000-4000-8000-000000000000";

type Act = "cancel" | "retry";
type Selection = Omit<Input<"retry_tasks"> | Input<"cancel_tasks">, "visibleTo"> & {
  readonly visibleTo?: string | null;
};

/** Runs an act to its end. Returns its pieces. */
function act(mesh: TestMesh, name: Act, selection: Selection): readonly BulkView[] {
  const pieces: BulkView[] = [];
  let cursor: string | undefined;
  do {
    const input = { visibleTo: null, ...selection, cursor } as Input<"cancel_tasks">;
    const piece = mesh.run(`${name}_tasks`, input);
    pieces.push(piece);
    cursor = piece.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return pieces;
}

const preview = (mesh: TestMesh, name: Act, selection: Selection): BulkView =>
  mesh.run("preview_tasks", { act: name, visibleTo: null, ...selection } as Input<"preview_tasks">);
const countOf = (pieces: readonly BulkView[]) => pieces.reduce((sum, { count }) => sum + count, 0);
const states = (mesh: TestMesh, ids: readonly string[]) => ids.map((id) => mesh.task(id).state);

/** Tasks that have expired. */
function expiredTasks(mesh: TestMesh, count: number): string[] {
  const ids = Array.from(
    { length: count },
    () => mesh.submit({ kind: "echo", deadline_seconds: 1 }).id,
  );
  mesh.runFor(SECOND);
  return ids;
}

describe("an act on many tasks", () => {
  test("AS82 cancels the named tasks, also one that runs, and says why it skips others", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const [running, queued] = [mesh.submit(), mesh.submit()];
    peer.accept();
    const [expired = ""] = expiredTasks(mesh, 1);
    const ids = [running.id, queued.id, expired, MISSING, running.id];
    expect(act(mesh, "cancel", { ids })).toEqual([
      {
        count: 2,
        task_ids: [running.id, queued.id],
        skipped: [
          { id: expired, code: "task_ended" },
          { id: MISSING, code: "not_found" },
        ],
        next_cursor: null,
      },
    ]);
    expect(peer.cancelled).toMatchObject([{ taskId: running.id }]);
    expect(states(mesh, [running.id, queued.id, expired])).toEqual([
      "cancelled",
      "cancelled",
      "expired",
    ]);
  });

  test("AS82 retries the named tasks with the given options, and says why it skips others", () => {
    const mesh = new TestMesh();
    const [expired = ""] = expiredTasks(mesh, 1);
    const peer = mesh.join(A);
    const done = mesh.submit();
    peer.finish();
    const running = mesh.submit();
    const ids = [expired, done.id, running.id];
    const options = { max_attempts: 2, deadline_seconds: 60 };
    const piece = mesh.run("retry_tasks", { ids, ...options, visibleTo: null });
    expect(piece).toMatchObject({
      count: 1,
      skipped: [
        { id: done.id, code: "task_ended" },
        { id: running.id, code: "conflict" },
      ],
    });
    expect(mesh.task(expired)).toMatchObject({
      state: "queued",
      max_attempts: 2,
      deadline_at: new Date(mesh.now + 60 * SECOND).toISOString(),
    });
  });

  test("AS82 changes 200 tasks at most in one command, and all of them by following the cursor", () => {
    const mesh = new TestMesh();
    const ids = expiredTasks(mesh, 450);
    const pieces = act(mesh, "retry", { ids });
    expect(pieces.map(({ count }) => count)).toEqual([200, 200, 50]);
    expect(act(mesh, "cancel", { filter: { kind: "echo" } }).map(({ count }) => count)).toEqual([
      200, 200, 50,
    ]);
    expect(new Set(states(mesh, ids))).toEqual(new Set(["cancelled"]));
  });

  test("AS82 a filter selects by state, kind, source, peer, owner, creation and error", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { kinds: ["a"] });
    const submit = (kind: string, owner = "me", source = "api"): string =>
      mesh.run("submit_task", submission({ kind, deadline_seconds: 9 }, { owner, source })).task.id;
    const failed = submit("a");
    peer.fail("No Disk", false);
    peer.leave();
    mesh.advanceClock(1);
    const [mine, yours, hook] = [submit("b"), submit("b", "you"), submit("b", "x", "webhook:ci")];
    const cancelled = submit("c");
    mesh.run("cancel_task", { id: cancelled, visibleTo: null });
    mesh.runFor(10 * SECOND);
    const ids = (filter: Selection["filter"], visibleTo: string | null = null) =>
      new Set(preview(mesh, "retry", { filter, visibleTo }).task_ids);
    expect(ids({ kind: "b" })).toEqual(new Set([mine, yours, hook]));
    expect(ids({ state: "failed" })).toEqual(new Set([failed]));
    expect(ids({ state: "cancelled" })).toEqual(new Set([cancelled]));
    expect(ids({ kind: "c" })).toEqual(new Set());
    expect(ids({ source: "webhook:ci" })).toEqual(new Set([hook]));
    expect(ids({ peer_id: A.id })).toEqual(new Set([failed]));
    expect(ids({ owner: "you" })).toEqual(new Set([yours]));
    expect(ids({ error_contains: "no disk" })).toEqual(new Set([failed]));
    expect(ids({ created_after: new Date(START).toISOString() })).toEqual(
      new Set([mine, yours, hook]),
    );
    expect(ids({ created_before: new Date(START + 1).toISOString() })).toEqual(new Set([failed]));
    // A caller that may see its own tasks only.
    expect(ids({ kind: "b" }, "you")).toEqual(new Set([yours]));
    expect(ids({ owner: "me" }, "you")).toEqual(new Set());
    const named = { ids: [mine, yours], visibleTo: "you" };
    expect(preview(mesh, "retry", named)).toMatchObject({
      task_ids: [yours],
      skipped: [{ id: mine, code: "not_found" }],
    });
  });

  test("AS82 a filter of cancel selects tasks by their present state and holder", () => {
    const mesh = new TestMesh();
    const [one, two] = [mesh.join(A), mesh.join(B)];
    const tasks = [mesh.submit(), mesh.submit(), mesh.submit()];
    one.accept();
    const holders = Object.fromEntries(tasks.map(({ id }) => [id, mesh.task(id)]));
    const ids = (filter: Selection["filter"]) => preview(mesh, "cancel", { filter }).task_ids;
    for (const state of ["queued", "leased", "running"] as const)
      expect(ids({ state })).toEqual(
        tasks.map(({ id }) => id).filter((id) => holders[id]?.state === state),
      );
    expect(ids({ peer_id: two.id })).toEqual([two.offer.task_id]);
  });

  test("AS82 a task that fails again, or is submitted, during the act is not changed by it", () => {
    const mesh = new TestMesh();
    const ids = expiredTasks(mesh, 250);
    const first = mesh.run("retry_tasks", { filter: { kind: "echo" }, visibleTo: null });
    mesh.advanceClock(2 * SECOND);
    mesh.tick(); // the retried tasks expire again
    const rest = mesh.run("retry_tasks", {
      filter: { kind: "echo" },
      visibleTo: null,
      cursor: first.next_cursor ?? undefined,
    });
    expect([first.count, rest]).toMatchObject([200, { count: 50, next_cursor: null }]);
    expect(ids.map((id) => mesh.task(id).retries)).toEqual(ids.map(() => 1));
    // The same for cancel: it ends although tasks keep coming.
    const open = Array.from({ length: 200 }, () => mesh.submit());
    const piece = mesh.run("cancel_tasks", { filter: { kind: "echo" }, visibleTo: null });
    mesh.advanceClock(1);
    const late = mesh.submit();
    mesh.run("cancel_tasks", {
      filter: { kind: "echo" },
      visibleTo: null,
      cursor: piece.next_cursor ?? undefined,
    });
    expect(open.every(({ id }) => mesh.task(id).state === "cancelled")).toBe(true);
    expect(mesh.task(late.id).state).toBe("queued");
  });

  test("AS82 any repetition of any piece changes no task twice, and none is left out", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.array(fc.nat({ max: 3 }), { maxLength: 6 }),
        (count, repeats) => {
          const mesh = new TestMesh();
          mesh.fillQueue(count, { kind: "echo", deadline_seconds: 1 });
          mesh.runFor(2 * SECOND);
          let changed = 0;
          let cursor: string | undefined;
          for (let piece = 0; piece === 0 || cursor !== undefined; piece++) {
            const input = { filter: { kind: "echo" }, visibleTo: null, cursor };
            for (let n = repeats[piece] ?? 0; n > 0; n--)
              changed += mesh.run("retry_tasks", input).count;
            const done = mesh.run("retry_tasks", input);
            changed += done.count;
            cursor = done.next_cursor ?? undefined;
          }
          expect(mesh.rows("SELECT DISTINCT retries, state FROM tasks")).toEqual([
            { retries: 1, state: "queued" },
          ]);
          expect(changed).toBe(count);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("AS83 a dry run changes nothing, and shows the first 20 of what the act then does", () => {
    const mesh = new TestMesh();
    const ids = expiredTasks(mesh, 230);
    const before = mesh.contents();
    const would = preview(mesh, "retry", { filter: { state: "expired" } });
    expect(would).toMatchObject({ count: 230, next_cursor: null });
    expect(would.task_ids).toEqual(ids.slice(0, 20));
    expect(preview(mesh, "retry", { ids })).toEqual(would);
    expect(mesh.contents()).toBe(before);
    const pieces = act(mesh, "retry", { filter: { state: "expired" } });
    expect([countOf(pieces), pieces[0]?.task_ids]).toEqual([230, would.task_ids]);
  });

  test.for(["ids", "filter"])(
    "AS84 a retry by %s ends where the queue is full, continues there, and is refused without any room",
    (by) => {
      const mesh = new TestMesh();
      const ids = expiredTasks(mesh, 10);
      mesh.fillQueue(QUEUE_MAX - 4, { kind: "other" });
      const selection = by === "ids" ? { ids } : { filter: { kind: "echo" } };
      const input = { ...selection, visibleTo: null };
      const piece = mesh.run("retry_tasks", input);
      expect(piece).toMatchObject({ count: 4, task_ids: ids.slice(0, 4) });
      const rest = { ...input, cursor: present(piece.next_cursor) };
      expect(mesh.errorOf("retry_tasks", rest)).toMatchObject({
        code: "queue_full",
        retryAfter: 5,
      });
      const other = { kind: "other", requirements: { capabilities: [] } };
      const [one, two] = mesh.registry.tasks.waiting.queued(other, mesh.now, 2);
      mesh.run("cancel_tasks", { ids: [present(one).id, present(two).id], visibleTo: null });
      expect(mesh.run("retry_tasks", rest)).toMatchObject({
        count: 2,
        task_ids: ids.slice(4, 6),
      });
    },
  );

  test("AS85 each command that changed something is audited, with its selection and its count", () => {
    const mesh = new TestMesh();
    const ids = expiredTasks(mesh, 2);
    mesh.run("retry_tasks", { filter: { kind: "echo" }, visibleTo: null });
    mesh.run("retry_tasks", { filter: { kind: "echo" }, visibleTo: null });
    mesh.run("cancel_tasks", { ids, visibleTo: null });
    const { entries } = mesh.run("list_audit", { limit: 9, subject: "tasks" });
    expect(entries).toMatchObject([
      { act: "cancel_tasks", actor: "admin", outcome: "ok", detail: { count: 2, named: 2 } },
      { act: "retry_tasks", detail: { count: 2, first: ids[0], filter: { kind: "echo" } } },
    ]);
  });

  test("HT3 a cursor that the mesh did not give is refused", () => {
    const mesh = new TestMesh();
    for (const cursor of ["", "x", "-1", "1e3", "00", "1-2", "1-2-3-4", "1-2-99999999999999999"])
      for (const selection of [{ ids: [MISSING] }, { filter: { kind: "echo" } }])
        expect(mesh.errorOf("retry_tasks", { ...selection, cursor, visibleTo: null }).code).toBe(
          "invalid_request",
        );
  });
});

describe("a retry of the tasks of several owners", () => {
  test("AS84 skips those of an owner whose own limit is reached; its own retry waits for room", () => {
    const mesh = new TestMesh();
    const submit = (owner: string, deadline_seconds: number) =>
      mesh.run("enqueue_task", submission({ kind: "echo", deadline_seconds }, { owner })).id;
    const full = [submit("full", 1), submit("full", 1)];
    const other = submit("other", 1);
    mesh.runFor(2 * SECOND);
    for (let n = 0; n < OWNER_QUEUE_MAX - 1; n++) submit("full", 60);
    const filter = { kind: "echo" };
    const own = { filter, visibleTo: "full" };
    expect(mesh.run("retry_tasks", { filter, visibleTo: null })).toMatchObject({
      task_ids: [full[0], other],
      skipped: [{ id: full[1], code: "owner_queue_full" }],
      next_cursor: null,
    });
    expect(mesh.errorOf("retry_tasks", own)).toMatchObject({ code: "owner_queue_full" });
    mesh.run("cancel_task", { id: present(full[0]), visibleTo: null });
    expect(mesh.run("retry_tasks", own)).toMatchObject({ count: 1, task_ids: [full[1]] });
  });
});
