import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../../src/base/json-text/json-text.ts";
import type { CommandName } from "../../../src/contract/commands.ts";
import { execute } from "../../../src/coordinator/kernel/execute.ts";
import { SubmitTask } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { seededRandom } from "../../random.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;
const CONTENT = { bytes: 300_000, sha256: `${"A".repeat(43)}=` };

/** A controller over its session whose task has a large result, and the worker that made it. */
function meshWithLargeResult() {
  const mesh = new TestMesh({ config: { authMode: "allowlist" } });
  for (const [{ publicKey, id }, role] of [
    [A, "worker"],
    [B, "controller"],
  ] as const)
    mesh.run("allow", {
      publicKey,
      peerId: id,
      label: "",
      roles: [role],
      readmit: false,
      go_p2p: false,
    });
  const worker = mesh.join(A, { protocol: "muster/2" });
  const giver = mesh.join(B, { claimedRole: "controller", protocol: "muster/2" });
  const task = SubmitTask.parse({ kind: "echo" });
  const given = { peerId: B.id, epoch: giver.epoch, key: null, task };
  const { id } = mesh.run("assign_task", given).task;
  worker.accept();
  return { mesh, worker, giver, id };
}

const bars = {
  revoked: (mesh: TestMesh, { id }: TestPeer) => void mesh.run("revoke_peer", { id }),
  "not allowed any more": (mesh: TestMesh, { key }: TestPeer) =>
    void mesh.run("disallow", { publicKey: key.publicKey }),
  removed: (mesh: TestMesh, { id }: TestPeer) => void mesh.run("forget_peer", { id }),
} as const;
const CODES = {
  revoked: "revoked",
  "not allowed any more": "not_allowed",
  removed: "unauthorized",
} as const;

describe("a secret of a peer that lost its rights", () => {
  test.for(Object.keys(bars) as (keyof typeof bars)[])(
    "HT21 of a download reads nothing once its peer is %s",
    (bar) => {
      const { mesh, worker, giver, id } = meshWithLargeResult();
      const { epoch: _, ...ticket } = worker.attempt();
      const { blobId } = mesh.run("begin_result", ticket);
      mesh.run("result_uploaded", { ...ticket, blobId, ...CONTENT });
      const { task_id, fence } = worker.offer;
      const outcome = { task_id, fence, ok: true, result: NULL_JSON, uploaded: CONTENT } as const;
      mesh.run("finish_task", { peerId: worker.id, epoch: worker.epoch, outcome });
      expect(mesh.run("read_own_result", { id, peerId: giver.id }).extra.blobId).toBe(blobId);
      bars[bar](mesh, giver);
      expect(mesh.errorOf("read_own_result", { id, peerId: giver.id }).code).toBe(CODES[bar]);
    },
  );

  test.for(Object.keys(bars) as (keyof typeof bars)[])(
    "HT21 of an upload stores nothing once its peer is %s",
    (bar) => {
      const { mesh, worker, id } = meshWithLargeResult();
      const { epoch: _, ...ticket } = worker.attempt();
      const { blobId } = mesh.run("begin_result", ticket);
      bars[bar](mesh, worker);
      expect(mesh.errorOf("begin_result", ticket).code).toBe(CODES[bar]);
      expect(mesh.errorOf("result_uploaded", { ...ticket, blobId, ...CONTENT }).code).toBe(
        CODES[bar],
      );
      expect(mesh.task(id).state).toBe("queued");
    },
  );
});

describe("a secret of an attempt", () => {
  test.for(Object.keys(bars) as (keyof typeof bars)[])(
    "NX12 reads no payload once its peer is %s",
    (bar) => {
      const { mesh, worker } = meshWithLargeResult();
      const { epoch: _, ...ticket } = worker.attempt();
      expect(mesh.run("read_payload", ticket)).toEqual({ payload: NULL_JSON });
      bars[bar](mesh, worker);
      expect(mesh.errorOf("read_payload", ticket).code).toBe(CODES[bar]);
    },
  );

  test("NX12 reads no payload of another attempt, of another peer, or after the attempt's end", () => {
    const { mesh, worker, giver } = meshWithLargeResult();
    const { epoch: _, ...ticket } = worker.attempt();
    for (const [wrong, code] of [
      [{ ...ticket, fence: ticket.fence + 1 }, "lease_lost"],
      [{ ...ticket, taskId: crypto.randomUUID() }, "not_found"],
      [{ ...ticket, peerId: giver.id }, "forbidden"],
      [{ ...ticket, peerId: "0".repeat(32) }, "unauthorized"],
    ] as const)
      expect(mesh.errorOf("read_payload", wrong).code).toBe(code);
    worker.finish();
    expect(mesh.errorOf("read_payload", ticket).code).toBe("lease_lost");
  });

  test("NX12 reads the payload of an offer that is not accepted yet, and does not renew its lease", () => {
    const mesh = new TestMesh();
    const worker = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", payload: [1] });
    const { epoch: _, ...ticket } = worker.attempt();
    const before = mesh.task(id);
    mesh.advanceClock(1_000);
    expect(mesh.run("read_payload", ticket)).toEqual({ payload: "[1]" });
    expect(mesh.task(id)).toEqual(before);
  });

  test("NX12 keeps its use when its peer rotates its key", () => {
    const { mesh, worker } = meshWithLargeResult();
    const { epoch, ...ticket } = worker.attempt();
    const next = present(KEYS[2]);
    const rotation = { newPeerId: next.id, newPublicKey: next.publicKey };
    mesh.run("rotate_peer", { peerId: worker.id, epoch, ...rotation });
    expect(mesh.run("read_payload", ticket)).toEqual({ payload: NULL_JSON });
  });
});

const MINUTE = 60;
/** How a token loses its right between the gateway's check and the command. */
const ends: Readonly<Record<string, (mesh: TestMesh, id: string) => void>> = {
  "was revoked": (mesh, id) => void mesh.run("revoke_token", { id }),
  "has expired": (mesh) => mesh.advanceClock(MINUTE * 1_000),
};

describe.for(Object.keys(ends))("a token that %s after the gateway had checked it", (end) => {
  test.for([
    ["reads", "get_task", (id: string) => ({ id, visibleTo: null })],
    ["reads results", "read_result", (id: string) => ({ id, visibleTo: null })],
    ["cancels", "cancel_task", (id: string) => ({ id, visibleTo: null })],
    ["lists", "list_pointers", () => ({ query: { limit: 10 } })],
    ["gets discovery keys", "discovery_keys", () => ({ tokenId: "x" })],
  ] as const)("HT20 %s nothing", ([, name, inputOf]) => {
    const { mesh, id } = meshWithLargeResult();
    const token = mesh.run("create_token", {
      label: "t",
      scope: "controller",
      expires_seconds: MINUTE,
    });
    const give = () =>
      execute(
        {
          registry: mesh.registry,
          config: mesh.config,
          now: mesh.now,
          random: Math.random,
          randomBytes: seededRandom(1),
          actor: `token:${token.id}`,
        },
        name as CommandName,
        inputOf(id) as never,
      ).result;
    const before = give();
    expect(before.ok || before.error.code !== "unauthorized").toBe(true);
    present(ends[end])(mesh, token.id);
    expect(give()).toMatchObject({ ok: false, error: { code: "unauthorized" } });
    mesh.restart();
    expect(give()).toMatchObject({ ok: false, error: { code: "unauthorized" } });
  });
});
