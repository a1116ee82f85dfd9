import { describe, expect, test } from "vitest";
import type {
  DeliveryInput,
  ReceivedDelivery,
  SourceInput,
} from "../../../src/contract/webhooks.ts";
import { EventMapping, SubmitTask } from "../../../src/protocol/http.ts";
import { TestMesh } from "../mesh.ts";

const SECRET = "c2VhbGVk";

const source = (more: Partial<SourceInput> = {}): SourceInput => ({
  name: "ci",
  scheme: "github",
  maxBytes: null,
  maxBodyBytes: null,
  identity: null,
  signature: null,
  sealedSecrets: [SECRET],
  mapping: EventMapping.parse({ kind: "build" }),
  filters: [{ path: "$.first", equals: true }],
  ...more,
});

/** A mesh whose source was given one delivery, replayed once, removed, and created again under its name. */
function recreated() {
  const mesh = new TestMesh();
  mesh.run("put_webhook_source", source());
  const before = mesh.run("open_webhook_source", { name: "ci" });
  const first = receive(mesh);
  const [delivered] = mesh.run("list_deliveries", { source: "ci", limit: 10 }).deliveries;
  const id = delivered?.id ?? "";
  receive(mesh, { replay: { of: id, newTask: "again" } });
  mesh.run("remove_webhook_source", { name: "ci", keepTasks: true });
  mesh.run("put_webhook_source", source({ sealedSecrets: ["bmV3"], filters: [] }));
  return { mesh, before, first, id };
}

function inputFor(mesh: TestMesh, more: Partial<DeliveryInput> = {}): DeliveryInput {
  const { id: sourceId, revision } = mesh.run("open_webhook_source", { name: "ci" });
  return {
    source: "ci",
    sourceId,
    revision,
    deliveryId: "msg_1",
    earlier: null,
    bytes: 2,
    sealed: "c2VhbGVk",
    verdict: { outcome: "task", task: SubmitTask.parse({ kind: "build" }) },
    replay: null,
    ...more,
  };
}

const receive = (mesh: TestMesh, more: Partial<DeliveryInput> = {}): ReceivedDelivery =>
  mesh.run("receive_delivery", inputFor(mesh, more)) as ReceivedDelivery;

const tasksOf = ({ sql }: TestMesh) => sql.exec("SELECT id FROM tasks");

/** Every row of every table. */
const rowsOf = ({ sql }: TestMesh) =>
  sql
    .exec("SELECT name FROM sqlite_master WHERE type = 'table'")
    .map(({ name }) => sql.exec(`SELECT * FROM ${String(name)}`));

describe("a webhook source that is removed and created again under its name", () => {
  test("WH32 takes an event that the earlier one had received for a new one, and only once", () => {
    const { mesh, first } = recreated();
    const again = receive(mesh);
    expect([again.outcome, first.outcome]).toEqual(["task", "task"]);
    expect(again.taskId).not.toBe(first.taskId);
    expect(receive(mesh)).toMatchObject({ outcome: "duplicate", taskId: again.taskId });
  });

  test("WH32 does not know the key of an earlier replay", () => {
    const { mesh } = recreated();
    receive(mesh);
    const [delivered] = mesh.run("list_deliveries", { source: "ci", limit: 10 }).deliveries;
    const replay = { of: delivered?.id ?? "", newTask: "again" };
    expect(receive(mesh, { replay }).outcome).toBe("task");
    expect(receive(mesh, { replay }).outcome).toBe("duplicate");
  });

  test("WH32 has another ID and revision, and no count, delivery, filter or secret of the earlier one", () => {
    const { mesh, before } = recreated();
    const after = mesh.run("open_webhook_source", { name: "ci" });
    expect(after.id).not.toBe(before.id);
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(after).toMatchObject({
      deliveries: 0,
      filters: [],
      maxBytes: null,
      maxBodyBytes: null,
      identity: null,
      sealedSecrets: ["bmV3"],
    });
    expect(mesh.run("list_deliveries", { source: "ci", limit: 10 }).deliveries).toEqual([]);
  });

  test("WH32 a delivery or replay that was evaluated before the removal makes no task", () => {
    const { mesh, before, id } = recreated();
    const { id: sourceId, revision } = before;
    const tasks = tasksOf(mesh).length;
    expect(receive(mesh, { sourceId, revision })).toEqual({ outcome: "source_changed" });
    // A database that was restored may give a revision again, but never an ID.
    expect(receive(mesh, { sourceId })).toEqual({ outcome: "source_changed" });
    for (const newTask of [null, "again"])
      expect(
        mesh.errorOf("receive_delivery", inputFor(mesh, { replay: { of: id, newTask } })).code,
      ).toBe("not_found");
    expect(mesh.errorOf("open_delivery", { source: "ci", id }).code).toBe("not_found");
    expect(tasksOf(mesh)).toHaveLength(tasks);
  });

  test("WH32 the secrets and deliveries of a removed source are nowhere in storage", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source());
    receive(mesh, { deliveryId: "the-delivery", sealed: "the-content" });
    const stored = () => JSON.stringify(rowsOf(mesh));
    expect([SECRET, "the-content"].map((text) => stored().includes(text))).toEqual([true, true]);
    mesh.run("remove_webhook_source", { name: "ci", keepTasks: true });
    expect([SECRET, "the-content"].map((text) => stored().includes(text))).toEqual([false, false]);
  });

  test("WH32 a source from before there were IDs keeps its idempotency keys until it is removed", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source());
    mesh.sql.exec(`UPDATE webhook_sources SET id = ''`);
    const first = receive(mesh);
    mesh.run("put_webhook_source", source({ filters: [] }));
    expect(receive(mesh)).toMatchObject({ outcome: "duplicate", taskId: first.taskId });
    mesh.run("remove_webhook_source", { name: "ci", keepTasks: true });
    mesh.run("put_webhook_source", source());
    expect(receive(mesh).outcome).toBe("task");
  });
});
