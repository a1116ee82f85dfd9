import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { connectPeer, generateIdentity } from "../../src/client/index.ts";
import { KillableMesh } from "./kill/killable-mesh.ts";

const PEERS = 8;

test(
  "CE101 CE106 a mesh that gets more cells, and fewer again, keeps the history of its peers and the tasks of its keys",
  { timeout: 240_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-cells-"));
    const mesh = await KillableMesh.start(dir);
    const identities = Array.from({ length: PEERS }, () => generateIdentity());
    for (const { publicKey } of identities)
      await mesh.controller.allowlist.put(toHex(publicKey), { roles: ["worker"] });
    const peers = identities.map(({ privateKey }) =>
      connectPeer({
        ...mesh.address,
        privateKey,
        outageMs: 200_000,
        handlers: { echo: (payload) => payload },
      }),
    );
    const ids = identities.map(({ id }) => id);
    /** Each peer completes a task. Returns the tasks by their keys. */
    const work = async (round: number): Promise<Map<string, string>> => {
      const made = new Map<string, string>();
      for (const id of ids) {
        const idempotencyKey = `${round} ${id}`;
        const options = { idempotencyKey, peerId: id };
        made.set(idempotencyKey, (await mesh.controller.tasks.submit("echo", round, options)).id);
      }
      for (const id of made.values())
        expect(await mesh.controller.tasks.wait(id)).toMatchObject({ state: "succeeded" });
      return made;
    };
    const successes = () =>
      Promise.all(ids.map(async (id) => (await mesh.controller.peers.get(id)).successes));
    try {
      await Promise.all(peers.map(({ ready }) => ready));
      const first = await work(1);
      for (const [round, cells] of [4, 2].entries()) {
        await mesh.stop();
        await mesh.restart({ CELLS: String(cells) });
        const made = await work(round + 2);
        expect(await successes()).toEqual(ids.map(() => round + 2));
        for (const [idempotencyKey, id] of [...first, ...made]) {
          const [payload = "", peerId = ""] = idempotencyKey.split(" ");
          const options = { idempotencyKey, peerId };
          expect(
            await mesh.controller.tasks.submit("echo", Number(payload), options),
          ).toMatchObject({ id });
        }
      }
      await mesh.controller.peers.revoke(ids[0] ?? "");
      expect(await mesh.controller.peers.get(ids[0] ?? "")).toMatchObject({
        state: "revoked",
        successes: 3,
      });
    } finally {
      await Promise.all(peers.map((peer) => peer.close().catch(() => {})));
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
