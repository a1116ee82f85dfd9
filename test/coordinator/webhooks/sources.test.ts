import { describe, expect, test } from "vitest";
import type { SourceInput } from "../../../src/contract/webhooks.ts";
import { WEBHOOK_SOURCES_MAX } from "../../../src/protocol/constants.ts";
import { EventMapping } from "../../../src/protocol/http.ts";
import { START, submission, TestMesh } from "../mesh.ts";

const source = (name: string, more: Partial<SourceInput> = {}): SourceInput => ({
  name,
  scheme: "github",
  signature: null,
  sealedSecrets: ["c2VhbGVk"],
  mapping: EventMapping.parse({ kind: "build" }),
  filters: [],
  ...more,
});

describe("a webhook source", () => {
  test("WH5 is shown without its secret; only checking a delivery opens it", () => {
    const mesh = new TestMesh();
    const view = mesh.run("put_webhook_source", source("ci"));
    expect(view).toEqual({
      name: "ci",
      scheme: "github",
      signature: null,
      secrets: 1,
      task: EventMapping.parse({ kind: "build" }),
      filters: [],
      created_at: new Date(START).toISOString(),
      deliveries: 0,
    });
    expect(mesh.run("get_webhook_source", { name: "ci" })).toEqual(view);
    expect(mesh.run("open_webhook_source", { name: "ci" }).sealedSecrets).toEqual(["c2VhbGVk"]);
  });

  test("keeps its age and its count of deliveries when it is put again", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    mesh.run("submit_task", submission({ kind: "build" }, { source: "webhook:ci" }));
    mesh.pass(1_000);
    const view = mesh.run("put_webhook_source", source("ci", { scheme: "standard-webhooks" }));
    expect(view).toMatchObject({
      scheme: "standard-webhooks",
      created_at: new Date(START).toISOString(),
      deliveries: 1,
    });
    expect(mesh.run("get_webhook_source", { name: "ci" })).toEqual(view);
  });

  test("WH3 counts a repeated delivery once", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    const idempotency = { key: "msg_1", scope: "webhook:ci" };
    const delivery = submission({ kind: "build" }, { source: "webhook:ci", idempotency });
    mesh.run("submit_task", delivery);
    mesh.run("submit_task", delivery);
    expect(mesh.run("get_webhook_source", { name: "ci" }).deliveries).toBe(1);
  });

  test("is not found once it is removed, or never was", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    mesh.run("remove_webhook_source", { name: "ci" });
    for (const name of ["ci", "never"])
      for (const command of [
        "get_webhook_source",
        "open_webhook_source",
        "remove_webhook_source",
      ] as const)
        expect(mesh.refusal(command, { name }).code).toBe("not_found");
  });

  test("is refused when there are too many, but for one that is there already", () => {
    const mesh = new TestMesh();
    for (let i = 0; i < WEBHOOK_SOURCES_MAX; i++)
      mesh.run("put_webhook_source", source(`source-${i}`));
    expect(mesh.refusal("put_webhook_source", source("more")).code).toBe("too_many_sources");
    expect(mesh.run("put_webhook_source", source("source-0")).name).toBe("source-0");
  });
});
