import { expect, test } from "vitest";
import { DAY, HOUR } from "../../../src/base/clock.ts";
import type { DeliveryInput, ReceivedDelivery } from "../../../src/contract/webhooks.ts";
import { EventMapping, SubmitTask } from "../../../src/protocol/http.ts";
import { idsOf } from "../../../src/webhooks/identity.ts";
import { must } from "../../must.ts";
import { readEvent, rulesWith } from "../../webhooks/events.ts";
import { TestMesh } from "../mesh.ts";

const RULES = rulesWith({ identity: { bucket_seconds: 86_400 } });

/** A mesh with a source that tells deliveries apart by days. */
function meshOfDays(): TestMesh {
  const mesh = new TestMesh();
  mesh.run("put_webhook_source", {
    name: "ci",
    scheme: "hmac",
    signature: null,
    sealedSecrets: ["c2VhbGVk"],
    mapping: EventMapping.parse({ kind: "build" }),
    filters: [],
    maxBytes: null,
    maxBodyBytes: null,
    identity: RULES.identity,
  });
  return mesh;
}

/** Delivers the same body at this time. */
function receive(mesh: TestMesh, now: number): ReceivedDelivery {
  mesh.now = now;
  const { id: sourceId, revision } = mesh.run("open_webhook_source", { name: "ci" });
  const signed = { id: null, bodyHash: "ab".repeat(32) };
  const ids = must(idsOf(RULES, signed, must(readEvent(RULES, {})), now));
  const input: DeliveryInput = {
    source: "ci",
    sourceId,
    revision,
    ...ids,
    bytes: 2,
    sealed: null,
    verdict: { outcome: "task", task: SubmitTask.parse({ kind: "build" }) },
    replay: null,
  };
  return mesh.run("receive_delivery", input) as ReceivedDelivery;
}

test("WH52 a body is one task in a span and across its end, and a new one the next day", () => {
  const mesh = meshOfDays();
  const midnight = Math.ceil(mesh.now / DAY) * DAY + DAY;
  const first = receive(mesh, midnight - HOUR);
  expect(first.outcome).toBe("task");
  for (const later of [0, 2 * HOUR, 5 * HOUR])
    expect(receive(mesh, midnight - HOUR + later)).toMatchObject({
      outcome: "duplicate",
      taskId: first.taskId,
    });
  const next = receive(mesh, midnight + 23 * HOUR);
  expect(next.outcome).toBe("task");
  expect(receive(mesh, midnight + DAY)).toMatchObject({
    outcome: "duplicate",
    taskId: next.taskId,
  });
});
