import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { CommandName, Input } from "../../../src/contract/commands.ts";
import { AllowBody, SubmitTask } from "../../../src/protocol/http.ts";
import { openRegistry } from "../../../src/registry/registry.ts";
import { isFullError } from "../../../src/base/full-storage.ts";
import { aPeer, anAdvertisedPeer } from "../../contracts/records.ts";
import { must, mustFail, present } from "../../must.ts";
import { nodeSql } from "../../node-sql.ts";
import { ANNOUNCED } from "../announced.ts";
import { KEYS, submission, TestMesh, testKey } from "../mesh.ts";
import { fillTo, LARGE, LIMIT, smallMesh, submitAs } from "./small-mesh.ts";

const [A, B, C] = KEYS;
const input = submission({ kind: "echo" });

describe("a store that is nearly full", () => {
  /** Two peers, a running task of the first, a queued and an ended one. */
  function busyMesh(share: number) {
    const small = smallMesh();
    const { mesh } = small;
    const peer = mesh.join(A, { claimedRole: "worker" });
    mesh.run("allow", {
      ...AllowBody.parse({ label: "", roles: ["dual"] }),
      publicKey: B.publicKey,
      peerId: B.id,
    });
    const controller = mesh.join(B, { claimedRole: "dual" });
    const running = submitAs(mesh, "a", { requirements: { peer_id: A.id } });
    peer.accept();
    const queued = submitAs(mesh, "a", { requirements: { peer_id: C.id } });
    const ended = submitAs(mesh, "a");
    mesh.run("cancel_task", { id: ended, visibleTo: null });
    const token = mesh.run("create_token", { label: "", scope: "controller" });
    fillTo(small, share);
    return { ...small, peer, controller, running, queued, ended, token };
  }

  test("SB10 submitting, by HTTP, as a batch and over a session, and retrying get storage_full with a time to retry", () => {
    const { mesh, controller, ended } = busyMesh(0.91);
    const refused: readonly [CommandName, unknown][] = [
      ["submit_task", input],
      ["enqueue_task", input],
      ["retry_task", { id: ended, visibleTo: null }],
      [
        "assign_task",
        {
          peerId: B.id,
          epoch: controller.epoch,
          key: null,
          task: SubmitTask.parse({ kind: "echo" }),
        },
      ],
    ];
    for (const [name, body] of refused)
      expect([name, mustFail(mesh.execute(name, body as Input<typeof name>).result)]).toEqual([
        name,
        expect.objectContaining({ code: "storage_full", retryAfter: expect.any(Number) }),
      ]);
    const { task: _task, ...rest } = input;
    const batch = mesh.run("submit_batch", { ...rest, tasks: [input.task, input.task] });
    expect(batch.results).toMatchObject([
      { error: { code: "storage_full", status: 507 } },
      { error: { code: "storage_full" } },
    ]);
  });

  test("SB10 a repeated idempotency key still answers with its task", () => {
    const small = smallMesh();
    const { mesh } = small;
    const keyed = submission({ kind: "echo" }, { idempotency: { scope: "admin", key: "k" } });
    const { id } = mesh.run("enqueue_task", keyed);
    fillTo(small, 0.95);
    expect(mesh.run("enqueue_task", keyed)).toEqual({ id, duplicate: true });
  });

  test("SB10 strangers add nothing: no record of an unlisted key, and no adverts", () => {
    const { mesh, peer } = busyMesh(0.91);
    const stranger = { ...ANNOUNCED, peerId: C.id, publicKey: C.publicKey, session: "s" };
    expect(mustFail(mesh.execute("admit", stranger).result)).toMatchObject({ code: "mesh_full" });
    expect(mesh.registry.peers.get(C.id)).toBeNull();
    const {
      advertiser: _a,
      hops: _h,
      advertisedAt: _t,
      heardAt: _g,
      ...advert
    } = anAdvertisedPeer();
    mesh.run("hear_advert", { peerId: A.id, epoch: peer.epoch, peers: [advert] });
    expect(mesh.rows(`SELECT * FROM advertised_peers`)).toEqual([]);
  });

  test("SB11 revoking, cancelling, reading, deleting, results, and admission of known and listed peers go on at 99 %", () => {
    const { mesh, store, peer, running, queued, token, controller } = busyMesh(0.5);
    mesh.run("allow", {
      publicKey: C.publicKey,
      peerId: C.id,
      label: "",
      roles: ["worker"],
      go_p2p: false,
      readmit: false,
    });
    fillTo({ mesh, store }, 0.95);
    peer.finish(LARGE);
    expect(mesh.task(running)).toMatchObject({ state: "succeeded", result: LARGE });
    fillTo({ mesh, store }, 0.99);
    mesh.run("cancel_task", { id: queued, visibleTo: null });
    controller.leave();
    controller.join({ claimedRole: "dual" });
    mesh.join(C);
    mesh.run("revoke_token", { id: token.id });
    mesh.run("revoke_peer", { id: A.id });
    mesh.run("disallow", { publicKey: C.publicKey });
    mesh.run("forget_peer", { id: B.id });
    expect(mesh.registry.denylist.has(A.id)).toBe(true);
  });

  test("SB12 the operator adds tokens, keys, sources and settings up to 97 %, and nothing beyond", () => {
    const add = (mesh: TestMesh) =>
      mesh.execute("create_token", { label: "", scope: "viewer" }).result;
    must(add(busyMesh(0.95).mesh));
    const { mesh } = busyMesh(0.98);
    for (const [name, body] of [
      ["create_token", { label: "", scope: "viewer" }],
      ["create_join_key", { label: "", roles: ["worker"], uses: 1, expires_seconds: 60 }],
      ["put_kind", { kind: "echo", settings: {} }],
      ["allow", { publicKey: C.publicKey, peerId: C.id, label: "", roles: ["worker"] }],
    ] as const)
      expect([name, mustFail(mesh.execute(name, body as never).result).code]).toEqual([
        name,
        "storage_full",
      ]);
  });

  test("SB10 when ended tasks were removed, tasks are accepted again", () => {
    const small = smallMesh();
    const { mesh } = small;
    fillTo(small, 0.91);
    expect(mesh.errorOf("enqueue_task", input).code).toBe("storage_full");
    small.store.extra = 0;
    mesh.run("enqueue_task", input);
  });
});

describe("SQLite's own limit", () => {
  test("SB13 a write that finds the database full undoes its command, in the rows and in memory, and others go on", () => {
    const database = new DatabaseSync(":memory:");
    const mesh = new TestMesh({ sql: nodeSql(database) });
    const id = submitAs(mesh, "a");
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() as never;
    database.exec(`PRAGMA max_page_count = ${Number(pages) + 20}`);
    const before = mesh.contents();
    const open = mesh.registry.tasks.ownerBytes.openOf("a");
    let thrown: unknown = null;
    try {
      submitAs(mesh, "a", { payload: LARGE });
    } catch (error) {
      thrown = error;
    }
    expect(isFullError(thrown)).toBe(true);
    expect(mesh.contents()).toBe(before);
    expect(mesh.registry.tasks.ownerBytes.openOf("a")).toBe(open);
    expect(mesh.registry.tasks.waiting.queuedOf("a")).toBe(1);
    mesh.run("cancel_task", { id, visibleTo: null });
    submitAs(mesh, "a");
  });
});

describe("bounds of tables", () => {
  test("SB17 a small store keeps fewer choices: they are trimmed when they are written", () => {
    const registry = openRegistry(nodeSql(), 0, undefined, 50);
    registry.transaction(() => {
      for (let n = 0; n < 400; n++) {
        registry.choices.put("t", n, { at: n, chosen: "p", draws: {} } as never);
        if (n % 7 === 0) registry.choices.pending.flush();
      }
      registry.choices.pending.flush();
    });
    expect(registry.choices.get("t", 349)).toBeNull();
    expect(registry.choices.get("t", 399)).not.toBeNull();
    expect(registry.choices.newest(1_000)).toHaveLength(50);
  });

  test("SB17 the contents of webhook deliveries have 5 % of the store, which the sources share", () => {
    const { mesh } = smallMesh();
    const put = (name: string) =>
      mesh.run("put_webhook_source", {
        name,
        scheme: "github",
        signature: null,
        sealedSecrets: [""],
        mapping: { ...SubmitTask.parse({ kind: "a" }), payload: null },
        filters: [],
        maxBytes: null,
        maxBodyBytes: null,
        identity: null,
      });
    const receive = (source: string) =>
      mesh.run("receive_delivery", {
        source,
        revision: present(mesh.registry.webhookSources.get(source)).revision,
        sourceId: present(mesh.registry.webhookSources.get(source)).id,
        deliveryId: String(mesh.now++),
        earlier: null,
        bytes: 1,
        sealed: "s".repeat(180_000),
        verdict: { outcome: "filtered", reason: "" },
        replay: null,
      } as never);
    const stored = () =>
      Number(mesh.rows(`SELECT SUM(octet_length(sealed)) AS n FROM webhook_deliveries`)[0]?.["n"]);
    put("one");
    for (let n = 0; n < 20; n++) receive("one");
    expect(stored()).toBeGreaterThan(700_000);
    expect(stored()).toBeLessThanOrEqual(0.05 * LIMIT);
    for (const name of ["two", "three"]) {
      put(name);
      for (let n = 0; n < 20; n++) receive(name);
      expect(stored()).toBeLessThanOrEqual(0.05 * LIMIT);
    }
    // The deliveries themselves stay in the list.
    expect(mesh.rows(`SELECT COUNT(*) AS n FROM webhook_deliveries`)).toEqual([{ n: 60 }]);
  });

  test("SB18 strangers leave fewer records in a small store; the record of a listed peer stays", () => {
    const { mesh } = smallMesh();
    const rows = LIMIT / 40_000;
    const listed = testKey(9_999);
    const gone = { state: "stale", session: null, held: 0 } as const;
    mesh.run("allow", {
      ...AllowBody.parse({ label: "" }),
      publicKey: listed.publicKey,
      peerId: listed.id,
    });
    mesh.registry.transaction(() => {
      mesh.registry.peers.put(
        aPeer({ ...gone, id: listed.id, publicKey: listed.publicKey, since: 0 }),
      );
      for (let n = 1; n < 3 * rows; n++)
        mesh.registry.peers.put(
          aPeer({ ...gone, id: `${n}`.padStart(32, "0"), publicKey: `${n}`, since: n }),
        );
    });
    mesh.restart();
    mesh.join(A);
    const count = Number(mesh.rows(`SELECT COUNT(*) AS n FROM peers`)[0]?.["n"]);
    expect(count).toBeLessThanOrEqual(1.1 * rows);
    expect(mesh.registry.peers.get(listed.id)).not.toBeNull();
  });
});
