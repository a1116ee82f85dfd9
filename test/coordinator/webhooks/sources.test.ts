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
  maxBytes: null,
  maxBodyBytes: null,
  identity: null,
  ...more,
});

describe("a webhook source", () => {
  test("WH5 the view of a source does not contain its secrets; only open_webhook_source returns them", () => {
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
      max_bytes: null,
      max_body_bytes: null,
      identity: null,
    });
    expect(mesh.run("get_webhook_source", { name: "ci" })).toEqual(view);
    expect(mesh.run("open_webhook_source", { name: "ci" }).sealedSecrets).toEqual(["c2VhbGVk"]);
  });

  test("replacing a source keeps its creation time and its count of deliveries", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    mesh.run("submit_task", submission({ kind: "build" }, { source: "webhook:ci" }));
    mesh.advanceClock(1_000);
    const view = mesh.run("put_webhook_source", source("ci", { scheme: "standard-webhooks" }));
    expect(view).toMatchObject({
      scheme: "standard-webhooks",
      created_at: new Date(START).toISOString(),
      deliveries: 1,
    });
    expect(mesh.run("get_webhook_source", { name: "ci" })).toEqual(view);
  });

  test("WH31 the version of a source changes with the source; its ID does not", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    mesh.run("put_webhook_source", source("cd"));
    const versions = () => mesh.run("webhook_source_versions", {}).sources;
    const before = versions();
    expect(new Set(before.map(({ id }) => id)).size).toBe(2);
    mesh.run("put_webhook_source", source("ci", { scheme: "standard-webhooks" }));
    const [cd, ci] = before;
    expect(versions()).toEqual([cd, { name: "ci", id: ci?.id, revision: 3 }]);
    mesh.run("remove_webhook_source", { name: "cd", keepTasks: true });
    expect(versions()).toHaveLength(1);
  });

  test("WH3 a repeated delivery is counted once", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    const idempotency = { key: "msg_1", scope: "webhook:ci" };
    const delivery = submission({ kind: "build" }, { source: "webhook:ci", idempotency });
    mesh.run("submit_task", delivery);
    mesh.run("submit_task", delivery);
    expect(mesh.run("get_webhook_source", { name: "ci" }).deliveries).toBe(1);
  });

  test("a source that was removed or never existed gets not_found", () => {
    const mesh = new TestMesh();
    mesh.run("put_webhook_source", source("ci"));
    mesh.run("remove_webhook_source", { name: "ci", keepTasks: true });
    for (const name of ["ci", "never"])
      for (const command of [
        "get_webhook_source",
        "open_webhook_source",
        "remove_webhook_source",
      ] as const)
        expect(mesh.errorOf(command, { name }).code).toBe("not_found");
  });

  test("a new source over the limit is refused; an existing one can still be replaced", () => {
    const mesh = new TestMesh();
    for (let i = 0; i < WEBHOOK_SOURCES_MAX; i++)
      mesh.run("put_webhook_source", source(`source-${i}`));
    expect(mesh.errorOf("put_webhook_source", source("more")).code).toBe("too_many_sources");
    expect(mesh.run("put_webhook_source", source("source-0")).name).toBe("source-0");
  });
});
