import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/base/clock.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C, D] = KEYS;

const taskIds = (peer: TestPeer): string[] => peer.offers.map((offer) => offer.task_id);

/** Why a queued task waits. */
const reason = (mesh: TestMesh, id: string): string | null =>
  mesh.run("why_task", { id, visibleTo: null }).waits_because;

describe("the kinds that a peer announces", () => {
  test("AS61 it gets tasks of these kinds only, and they stand in its view", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { kinds: ["render", "echo"], slots: 4 });
    expect(peer.view.kinds).toEqual(["render", "echo"]);
    const echo = mesh.submit({ kind: "echo" });
    const other = mesh.submit({ kind: "echo2" });
    expect(taskIds(peer)).toEqual([echo.id]);
    expect(mesh.task(other.id).state).toBe("queued");
  });

  test("AS61 a peer of an older SDK, which announces none, gets every kind", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "whatever" });
    expect(taskIds(peer)).toEqual([id]);
  });

  test("AS61 they change with `announce`, and what the peer runs already goes on", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { kinds: ["echo"], slots: 4 });
    const begun = mesh.submit({ kind: "echo" });
    peer.accept();
    peer.announce({ kinds: ["render"] });
    expect(peer.view.kinds).toEqual(["render"]);
    const late = mesh.submit({ kind: "echo" });
    expect(mesh.task(late.id).state).toBe("queued");
    expect(mesh.task(begun.id).state).toBe("running");
  });
});

describe("a task of a kind that nobody handles", () => {
  test("AS62 waits without using attempts, and runs when a peer announces the kind", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { kinds: ["rescale"] });
    const task = mesh.submit({ kind: "resize" });
    mesh.runFor(10 * MINUTE);
    expect(mesh.task(task.id)).toMatchObject({ state: "queued", attempts: [] });
    peer.announce({ kinds: ["rescale", "resize"] });
    expect(taskIds(peer)).toEqual([task.id]);
  });

  test("AS62 says which similar kinds are handled, by how many peers", () => {
    const mesh = new TestMesh();
    const task = mesh.submit({ kind: "resize" });
    expect(reason(mesh, task.id)).toBe("no connected peer handles resize");
    for (const key of [A, B, C]) mesh.join(key, { kinds: ["rescale", "x"] });
    mesh.join(D, { kinds: ["resized"] });
    expect(reason(mesh, task.id)).toBe(
      "no connected peer handles resize; 1 handles resized, 3 handle rescale",
    );
  });

  test("AS62 says which kinds are common when none is similar", () => {
    const mesh = new TestMesh();
    const task = mesh.submit({ kind: "resize" });
    mesh.join(A, { kinds: ["echo"] });
    mesh.join(B, { kinds: ["transcode", "echo"] });
    expect(reason(mesh, task.id)).toBe(
      "no connected peer handles resize; 2 handle echo, 1 handles transcode",
    );
  });

  test("AS62 a controller does not count: it runs no tasks", () => {
    const mesh = new TestMesh();
    mesh.join(A, { kinds: ["*"], claimedRole: "controller" });
    const task = mesh.submit({ kind: "resize" });
    expect(reason(mesh, task.id)).toBe("no connected peer handles resize");
  });
});

test("AS62 a task that waits for another reason says how many peers each rule excludes", () => {
  const mesh = new TestMesh();
  mesh.join(A, { kinds: ["echo"], slots: 0 });
  mesh.join(B, { kinds: ["echo"], slots: 0 });
  mesh.join(C, { kinds: ["render"] });
  const task = mesh.submit({ kind: "echo" });
  expect(reason(mesh, task.id)).toBe(
    "no connected peer can take it now: 2 without a free slot, 1 without this kind",
  );
});
