import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import type { FailuresView } from "../../../src/protocol/http.ts";
import { aTask } from "../../contracts/records.ts";
import { KEYS, START, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const at = (time: number): string => new Date(time).toISOString();

const failuresOf = (mesh: TestMesh, query: Partial<Input<"list_failures">> = {}): FailuresView =>
  mesh.run("list_failures", { visibleTo: null, ...query });

describe("the failures of tasks", () => {
  test("AS86 are grouped by kind, state and reason, with times, peers and examples", () => {
    const mesh = new TestMesh();
    const [one, two] = [mesh.join(A, { kinds: ["resize"] }), mesh.join(B, { kinds: ["count"] })];
    const first = mesh.submit({ kind: "resize" });
    one.fail("no disk 17", false);
    mesh.advanceClock(SECOND);
    const second = mesh.submit({ kind: "resize" });
    one.fail("no disk 4", false);
    const third = mesh.submit({ kind: "count" });
    two.fail("no disk 4", false);
    const expired = mesh.submit({ kind: "other", deadline_seconds: 1 });
    const done = mesh.submit({ kind: "count" });
    two.finish();
    mesh.run("cancel_task", { id: mesh.submit({ kind: "other" }).id, visibleTo: null });
    mesh.runFor(SECOND);
    const { groups, ...rest } = failuresOf(mesh);
    expect(rest).toEqual({ count: 4, group_count: 3, complete: true });
    expect(groups).toEqual([
      {
        kind: "resize",
        state: "failed",
        reason: "no disk <n>",
        count: 2,
        first_at: at(START),
        last_at: at(START + SECOND),
        error: "no disk 4",
        task_ids: [second.id, first.id],
        peers: [{ peer_id: A.id, count: 2 }],
        peer_count: 1,
      },
      expect.objectContaining({
        kind: "other",
        state: "expired",
        task_ids: [expired.id],
        peers: [],
      }),
      expect.objectContaining({
        kind: "count",
        task_ids: [third.id],
        peers: [{ peer_id: B.id, count: 1 }],
      }),
    ]);
    expect(JSON.stringify(groups)).not.toContain(done.id);
  });

  test("AS86 are filtered by state, kind, owner and time", () => {
    const mesh = new TestMesh();
    const end = (kind: string, owner: string, seconds: number) => {
      const task = { kind, deadline_seconds: seconds };
      return mesh.run("submit_task", submission(task, { owner })).task.id;
    };
    const [a, b, c] = [end("a", "me", 1), end("b", "me", 2), end("a", "you", 3)];
    mesh.runFor(MINUTE);
    const ids = (query: Partial<Input<"list_failures">>) =>
      failuresOf(mesh, query).groups.flatMap(({ task_ids }) => task_ids);
    expect(ids({}).toSorted()).toEqual([a, b, c].toSorted());
    expect(ids({ state: "failed" })).toEqual([]);
    expect(ids({ kind: "b" })).toEqual([b]);
    expect(ids({ owner: "you" })).toEqual([c]);
    expect(ids({ ended_after: at(START + 1_500), ended_before: at(START + 2_500) })).toEqual([b]);
    // A caller that sees its own tasks only cannot name another owner.
    expect(ids({ visibleTo: "me" }).toSorted()).toEqual([a, b].toSorted());
    expect(ids({ visibleTo: "me", owner: "you" })).toEqual([]);
  });

  test("AS86 a task that is retried is no failure any more", () => {
    const mesh = new TestMesh();
    mesh.submit({ kind: "echo", deadline_seconds: 1 });
    mesh.runFor(SECOND);
    const [group] = failuresOf(mesh).groups;
    mesh.run("retry_task", { id: group?.task_ids[0] ?? "", visibleTo: null });
    expect(failuresOf(mesh)).toMatchObject({ groups: [], count: 0 });
  });

  test("AS86 the newest 5,000 are read, and the answer says that there are more; it shows 100 groups", () => {
    const mesh = new TestMesh();
    mesh.registry.transaction(() => {
      for (let n = 0; n < 5_001; n++) {
        const error = `reason ${"x".repeat(n % 101)}`;
        mesh.registry.tasks.insert(
          aTask({ id: `t${n}`, state: "failed", endedAt: START + n, error }),
        );
      }
    });
    const { groups, ...rest } = failuresOf(mesh);
    expect(rest).toEqual({ count: 5_000, group_count: 101, complete: false });
    expect(groups).toHaveLength(100);
    expect(groups.map(({ last_at }) => last_at)).toContain(at(START + 5_000));
    expect(failuresOf(mesh, { ended_after: at(START) }).complete).toBe(false);
    expect(failuresOf(mesh, { ended_after: at(START + 1) }).complete).toBe(true);
  });
});
