import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import {
  COMMAND_CALLERS,
  type CommandName,
  type GatewayCommandName,
  type Input,
} from "../../../src/contract/commands.ts";
import { isReadCommand } from "../../../src/contract/read-commands.ts";
import type { ApiWriteName } from "../../../src/coordinator/kernel/audit.ts";
import { AUDIT } from "../../../src/coordinator/kernel/domains.ts";
import { EventMapping, KindSettingsBody } from "../../../src/protocol/http.ts";
import { KEYS, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const SOURCE = {
  name: "ci",
  scheme: "github",
  signature: null,
  sealedSecrets: ["c2VhbGVk"],
  mapping: EventMapping.parse({ kind: "build" }),
  filters: [],
  maxBytes: null,
  maxBodyBytes: null,
  identity: null,
} as const;
const CALLBACKS = { owner: "admin", url: "https://example.com/done", visibleTo: null } as const;
const NOWHERE = "0b8f0b8f-0000-4000-8000-000000000000";

/** What the operator may do, with the least that it acts on. */
const ACTS: { readonly [K in ApiWriteName]?: (mesh: TestMesh) => Input<K> } = {
  create_token: () => ({ label: "ci", scope: "viewer" }),
  update_token: (mesh) => ({ id: newToken(mesh), weight: 2 }),
  revoke_token: (mesh) => ({ id: newToken(mesh) }),
  create_join_key: () => ({ label: "lab", roles: ["worker"], uses: 1, expires_seconds: 60 }),
  revoke_join_key: (mesh) => ({
    id: mesh.run("create_join_key", {
      label: "lab",
      roles: ["worker"],
      uses: 1,
      expires_seconds: 60,
    }).id,
  }),
  begin_export: () => ({}),
  begin_import: () => ({ schema: 1, muster: "0.1.0", header: "{}" }),
  end_import: () => ({ id: "00".repeat(16) }),
  drain_mesh: (mesh) => ({ before: mesh.now, pauseMs: SECOND }),
  revoke_peer: () => ({ id: A.id }),
  lift_denial: (mesh) => {
    mesh.run("revoke_peer", { id: A.id });
    return { id: A.id };
  },
  forget_peer: () => ({ id: A.id }),
  set_auth_mode: () => ({ mode: "allowlist" }),
  allow: () => allowInput(B),
  disallow: (mesh) => {
    mesh.run("allow", allowInput(B));
    return { publicKey: B.publicKey };
  },
  schedule_peer: () => ({ id: A.id, action: "cordon" }),
  schedule_peers: () => ({ action: "drain", timeoutMs: 60 * SECOND, select: {}, dryRun: false }),
  reset_circuits: () => ({ id: A.id }),
  request_peer: () => ({ id: A.id, type: "start_miner" }),
  cancel_task: (mesh) => ({ id: mesh.submit().id, visibleTo: null }),
  retry_task: (mesh) => ({ id: cancelled(mesh), visibleTo: null }),
  cancel_tasks: (mesh) => ({ ids: [mesh.submit().id], visibleTo: null, limit: 10 }),
  retry_tasks: (mesh) => ({ ids: [cancelled(mesh)], visibleTo: null, limit: 10 }),
  put_kind: () => ({ kind: "resize", settings: KindSettingsBody.parse({ concurrency: 2 }) }),
  delete_kind: (mesh) => {
    mesh.run("put_kind", { kind: "resize", settings: KindSettingsBody.parse({ concurrency: 2 }) });
    return { kind: "resize" };
  },
  discovery_keys: (mesh) => ({ tokenId: newToken(mesh) }),
  dial_peer: () => ({ url: "wss://node.example/ws", name: "node", key: null }),
  remove_dial: (mesh) => ({
    id: mesh.run("dial_peer", { url: "wss://node.example/ws", name: "node", key: null }).dial.id,
  }),
  put_webhook_source: () => SOURCE,
  remove_webhook_source: (mesh) => {
    mesh.run("put_webhook_source", SOURCE);
    return { name: "ci" };
  },
  receive_delivery: (mesh) => {
    mesh.run("put_webhook_source", SOURCE);
    const { id: sourceId, revision } = mesh.run("open_webhook_source", { name: "ci" });
    const verdict = { outcome: "filtered", reason: "no filter matches" } as const;
    const content = {
      deliveryId: "b5d4",
      earlier: null,
      bytes: 2,
      sealed: null,
      verdict,
      replay: null,
    };
    const delivery = { source: "ci", sourceId, revision, ...content };
    mesh.run("receive_delivery", delivery);
    const of = mesh.run("list_deliveries", { source: "ci", limit: 1 }).deliveries[0]?.id ?? "";
    return { ...delivery, replay: { of, newTask: null } };
  },
  rotate_callback_secret: () => ({ ...CALLBACKS, overlapSeconds: 60 }),
  end_previous_callback_secret: (mesh) => {
    mesh.run("rotate_callback_secret", { ...CALLBACKS, overlapSeconds: 60 });
    return CALLBACKS;
  },
  repeat_callback: () => ({ id: NOWHERE, visibleTo: null }),
};

const allowInput = ({ id: peerId, publicKey }: (typeof KEYS)[number]): Input<"allow"> => ({
  publicKey,
  peerId,
  label: "lab",
  roles: ["worker"],
  readmit: false,
  go_p2p: false,
});
const newToken = (mesh: TestMesh): string =>
  mesh.run("create_token", { label: "other", scope: "controller" }).id;
function cancelled(mesh: TestMesh): string {
  const { id } = mesh.submit();
  mesh.run("cancel_task", { id, visibleTo: null });
  return id;
}

const WRITES = (Object.keys(COMMAND_CALLERS) as CommandName[]).filter(
  (name): name is ApiWriteName => COMMAND_CALLERS[name] === "gateway" && !isReadCommand(name),
);
const exempt = (name: GatewayCommandName): boolean => {
  const audited: unknown = (AUDIT as Readonly<Record<string, unknown>>)[name];
  return typeof audited === "object";
};

describe("commands of the HTTP API that write", () => {
  test("AD40 these alone have no audit entry, and say why", () => {
    expect(WRITES.filter(exempt).toSorted()).toEqual([
      "begin_result",
      "collect_metrics",
      "count_refusals",
      "end_export",
      "enqueue_task",
      "list_events",
      "list_pointers",
      "put_import_part",
      "read_discovery",
      "report_refusals",
      "result_uploaded",
      "submit_batch",
      "submit_task",
    ]);
  });

  test.for(WRITES.filter((name) => !exempt(name)))(
    "AD40 %s of an administrator has an audit entry with the actor, the time and the outcome",
    (name) => {
      const mesh = new TestMesh();
      mesh.join(A, { speaksMuster: false });
      const prepare = ACTS[name];
      if (prepare === undefined) throw new Error(`${name} needs an example in this test`);
      const input = prepare(mesh);
      mesh.advanceClock(SECOND);
      const before = mesh.registry.audit.list({ act: name, limit: 10 }).length;
      const { result } = mesh.execute(name, input);
      const entries = mesh.registry.audit.list({ act: name, limit: 10 });
      expect(entries).toHaveLength(before + 1);
      expect(entries[0]).toMatchObject({
        actor: "admin",
        act: name,
        at: mesh.now,
        budget: "operator",
        outcome: result.ok ? "ok" : result.error.code,
      });
      expect(entries[0]?.subject).not.toBe("");
    },
  );

  test("AD40 the entry of an admission says whether the welcome carried discovery keys", () => {
    const mesh = new TestMesh();
    mesh.join(A, { protocol: "muster/2" });
    mesh.join(B);
    const given = [A, B].map(
      ({ id }) => mesh.registry.audit.list({ subject: id, limit: 1 })[0]?.detail["discovery_keys"],
    );
    expect(given).toEqual([true, false]);
  });

  test("AD40 a caller's acts on its own tasks are not an administrator's, and are not audited", () => {
    const mesh = new TestMesh();
    const { id } = mesh.submit();
    mesh.run("cancel_task", { id, visibleTo: "admin" });
    expect(mesh.registry.audit.list({ act: "cancel_task", limit: 1 })).toEqual([]);
  });
});
