import { expect, it } from "vitest";
import { DIGEST_KINDS_MAX, digestOfKind } from "../../src/cells/cell-digest.ts";
import { digestOf } from "../../src/coordinator/cells/digest.ts";
import { KEYS, TestMesh, testKey } from "../coordinator/mesh.ts";

it("CE81 a digest counts peers, free places and queued tasks of a kind", () => {
  const mesh = new TestMesh();
  mesh.join(KEYS[0], { kinds: ["echo"], slots: 3, capabilities: ["gpu=a"] }).earn(3);
  mesh.join(KEYS[1], { kinds: ["*"], slots: 1 });
  for (let n = 0; n < 6; n++) mesh.submit({ kind: "echo" });
  mesh.submit({ kind: "rare", requirements: { capabilities: ["none"] } });
  const digest = digestOf(mesh, mesh.now);
  expect(digestOfKind(digest, "echo")).toMatchObject({ peers: 2, free: 0 });
  expect(digestOfKind(digest, "echo").waiting).toBeGreaterThan(0);
  expect(digestOfKind(digest, "rare")).toMatchObject({ peers: 1, waiting: 1 });
  expect(digestOfKind(digest, "other")).toMatchObject({ peers: 1, waiting: 0 });
  expect(digest.labels).toContain("gpu=a");
  expect(digest.full).toBe(false);
});

it("CE81 a peer counts once for a kind that it names beside every kind", () => {
  const mesh = new TestMesh();
  mesh.join(KEYS[0], { kinds: ["*", "echo"], slots: 1 });
  const digest = digestOf(mesh, mesh.now);
  for (const kind of ["echo", "other"])
    expect(digestOfKind(digest, kind)).toMatchObject({ peers: 1, slots: 1, free: 1 });
});

it("CE81 a digest is bounded, and what it leaves out counts together", () => {
  const mesh = new TestMesh();
  for (let n = 0; n < 10; n++) {
    const kinds = Array.from({ length: 16 }, (_, at) => `kind-${n}-${at}`);
    const capabilities = Array.from({ length: 30 }, (_, at) => `label-${n}-${at}`);
    mesh.join(testKey(100 + n), { kinds, capabilities });
  }
  const digest = digestOf(mesh, mesh.now);
  expect(digest.kinds).toHaveLength(DIGEST_KINDS_MAX);
  expect(digest.labels).toBeNull();
  expect(digestOfKind(digest, "not listed").peers).toBe(1);
});

it("CE147 a peer that rests at a kind does not count for it: a cell whose peers fail at once does not look free", () => {
  const mesh = new TestMesh();
  const failing = mesh.join(KEYS[0], { kinds: ["*"], slots: 1 });
  const countOf = (kind: string) => digestOfKind(digestOf(mesh, mesh.now), kind);
  expect(countOf("echo")).toMatchObject({ peers: 1, free: 1 });
  while (mesh.registry.circuits.resting.at("echo").size === 0) {
    mesh.submit({ kind: "echo", max_attempts: 1 });
    failing.accept();
    failing.fail("it broke", false);
  }
  expect(countOf("echo")).toMatchObject({ peers: 0, free: 0 });
  mesh.now += 60 * 60_000;
  expect(countOf("echo")).toMatchObject({ peers: 1, free: 1 });
});

it("CE147 a peer that has rested counts as the one slot in which it is probed; one that is not there is not taken from the others", () => {
  const mesh = new TestMesh();
  const traits = { kinds: ["echo"], slots: 3 };
  const [failing, other] = [mesh.join(KEYS[0], traits).earn(3), mesh.join(KEYS[1], traits).earn(3)];
  const load = () => digestOfKind(digestOf(mesh, mesh.now), "echo");
  expect(load()).toMatchObject({ peers: 2, slots: 6, free: 6 });
  const submit = () =>
    mesh.submit({ kind: "echo", max_attempts: 1, requirements: { peer_id: failing.id } });
  while (mesh.registry.circuits.resting.at("echo").size === 0) {
    submit();
    failing.accept();
    failing.fail("it broke", false);
  }
  expect(load()).toMatchObject({ peers: 1, slots: 3, free: 3 });
  const [restsUntil = 0] = mesh.registry.circuits.resting.at("echo").values();
  mesh.now = restsUntil;
  expect(load()).toMatchObject({ peers: 2, slots: 4, free: 4 });
  submit();
  failing.accept();
  expect(load()).toMatchObject({ peers: 2, slots: 4, free: 3, prefetched: 0 });
  failing.fail("it broke", false);
  failing.leave();
  expect(load()).toMatchObject({ peers: 1, slots: 3, free: 3 });
  other.leave();
  expect(load()).toMatchObject({ peers: 0, slots: 0, free: 0 });
});

it("CE81 a digest counts slots, free ones and the tasks that peers hold beyond them", () => {
  const mesh = new TestMesh();
  const worker = mesh.join(KEYS[0], { kinds: ["echo"], slots: 1, prefetch: true });
  const load = () => digestOfKind(digestOf(mesh, mesh.now), "echo");
  mesh.submit({ kind: "echo" });
  worker.accept();
  worker.finish();
  expect(load()).toMatchObject({ peers: 1, slots: 1, free: 1, prefetched: 0, waiting: 0 });
  mesh.submit({ kind: "echo" });
  worker.accept();
  mesh.submit({ kind: "echo" });
  mesh.submit({ kind: "echo" });
  expect(load()).toMatchObject({ peers: 1, slots: 1, free: 0, prefetched: 1, waiting: 1 });
});
