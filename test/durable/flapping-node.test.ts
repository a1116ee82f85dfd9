import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import {
  api,
  awaitTaskEnd,
  peerView,
  pointers,
  rows,
  sessionStub,
  submitTask,
  until,
} from "./api.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

/** Admissions of a peer in the audit log, the newest first. */
const admissions = async (id: string) =>
  (await api<{ entries: AuditEntry[] }>("GET", `/v1/audit?subject=${id}&act=admit`)).body.entries;

interface AuditEntry {
  readonly outcome: string;
  readonly count: number;
}

/** Answers the mesh until the socket closes, as a go-p2p node does on each of its connections. */
async function answerMesh(node: GoPeer): Promise<void> {
  try {
    for (;;) {
      const { type, id: replyTo } = await node.read();
      if (type === "ping") node.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo });
      if (type === "get_stats") node.send("stats", { uptime: 1 }, { replyTo });
    }
  } catch {
    // The connection is closed.
  }
}

const epochOf = async (id: string): Promise<unknown> =>
  (await rows("SELECT epoch FROM peers WHERE id = ?", id))[0]?.["epoch"];

describe.each([1, 2] as const)(
  "a go-p2p node of generation %i that dials again and again",
  (generation) => {
    it("GP40 keeps the connection that answers, whatever it dials besides, and works on it", async () => {
      const keys = newKeyPair(platformRandom);
      const first = await GoPeer.join({ keys, muster: null, generation });
      await until(
        () => epochOf(keys.id),
        (epoch) => epoch === 1,
      );
      const second = await GoPeer.join({ keys, muster: null, generation });
      expect((await first.closed).code).toBe(4409);
      await until(
        () => pointers(),
        (listed) => listed.length === 1,
      );
      const before = await rows("SELECT state, epoch, session FROM peers");
      const listed = await pointers();
      const answers = answerMesh(second);
      for (let dial = 0; dial < 5; dial++) {
        const further = await GoPeer.join({ keys, muster: null, generation });
        expect((await further.closed).reason).toContain("key_in_use");
      }
      expect(await rows("SELECT state, epoch, session FROM peers")).toEqual(before);
      expect(await pointers()).toEqual(listed);
      // GP42: one entry for the admissions, one for the refusals.
      expect(await admissions(keys.id)).toMatchObject([
        { outcome: "key_in_use", count: 5 },
        { outcome: "ok", count: 2 },
      ]);
      const { id } = await submitTask("go-p2p/get_stats", null);
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", peer_id: keys.id });
      second.close();
      await answers;
    });

    it("GP40 keeps the connection that answers also when several ask about it at once", async () => {
      const keys = newKeyPair(platformRandom);
      const node = await GoPeer.join({ keys, muster: null, generation });
      await node.catchUp();
      const session = await sessionStub(keys.id);
      const asked = Promise.all([1, 2, 3, 4].map(() => session.answers(RPC_VERSION, 1)));
      const answers = answerMesh(node);
      expect(await asked).toEqual([true, true, true, true]);
      node.close();
      await answers;
    });

    it("GP40 keeps the connection that answers while it is suspect because it has flapped", async () => {
      const keys = newKeyPair(platformRandom);
      const sockets: GoPeer[] = [];
      for (let flap = 1; flap <= 4; flap++) {
        sockets.push(await GoPeer.join({ keys, muster: null, generation }));
        await until(
          () => epochOf(keys.id),
          (epoch) => epoch === flap,
        );
        if (flap === 3) continue; // The fourth takes over from it.
        if (flap === 4) break;
        sockets.at(-1)?.close();
        await until(
          () => peerView(keys.id),
          ({ state }) => state === "stale",
        );
      }
      expect(await peerView(keys.id)).toMatchObject({ state: "suspect" });
      const held = sockets.at(-1) as GoPeer;
      const answers = answerMesh(held);
      for (let dial = 0; dial < 3; dial++) {
        const further = await GoPeer.join({ keys, muster: null, generation });
        expect((await further.closed).reason).toContain("key_in_use");
      }
      expect(await epochOf(keys.id)).toBe(4);
      held.close();
      await answers;
    });

    it("GP40 is admitted by its newer connection when the older one does not answer", async () => {
      const keys = newKeyPair(platformRandom);
      const sockets: GoPeer[] = [];
      for (let dial = 1; dial <= 3; dial++) {
        sockets.push(await GoPeer.join({ keys, muster: null, generation }));
        await until(
          () => epochOf(keys.id),
          (epoch) => epoch === dial,
        );
      }
      expect((await sockets[1]?.closed)?.code).toBe(4409);
    });

    it("GP41 gets no tasks and no record while it flaps, which then go to other nodes", async () => {
      const keys = newKeyPair(platformRandom);
      for (let flap = 1; flap <= 4; flap++) {
        const node = await GoPeer.join({ keys, muster: null, generation });
        await until(
          () => epochOf(keys.id),
          (epoch) => epoch === flap,
        );
        if (flap === 4) break;
        node.close();
        await until(
          () => peerView(keys.id),
          ({ state }) => state === "stale",
        );
      }
      expect(await peerView(keys.id)).toMatchObject({ state: "suspect" });
      expect(await rows("SELECT * FROM outbox WHERE kind = 'publish'")).toEqual([]);
      const { id } = await submitTask("go-p2p/get_stats", null);
      expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
      const steady = await GoPeer.join({ muster: null, generation });
      const { id: replyTo } = await steady.readType("get_stats");
      steady.send("stats", { uptime: 1 }, { replyTo });
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", peer_id: steady.keys.id });
    });

    it("GP42 has one entry in the audit log for all of its admissions", async () => {
      const keys = newKeyPair(platformRandom);
      for (let flap = 1; flap <= 6; flap++) {
        const node = await GoPeer.join({ keys, muster: null, generation });
        await until(
          () => epochOf(keys.id),
          (epoch) => epoch === flap,
        );
        node.close();
        await until(
          () => peerView(keys.id),
          ({ state }) => state === "stale",
        );
      }
      expect(await admissions(keys.id)).toMatchObject([{ outcome: "ok", count: 6 }]);
    });
  },
);
