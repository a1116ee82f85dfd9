import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { homeOf, SINGLE, withCells } from "../../src/cells/topology.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { DialView } from "../../src/protocol/http.ts";
import { present } from "../must.ts";
import { api, peerView, pointers, until } from "../durable/api.ts";
import { Outside } from "../durable/listening-node.ts";

let outside: Outside;
beforeEach(() => {
  outside = new Outside();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const FOUR = withCells(SINGLE, 4, 0, 1);

const onlyDial = async (): Promise<DialView> =>
  present((await api<{ dials: DialView[] }>("GET", "/v1/dials")).body.dials[0]);

describe("a node that listens, in a mesh of four cells", () => {
  it("CE130 CE131 is dialed by cell 0 and joins in its own cell, until its address is removed", async () => {
    for (let cell = 0; cell < 4; cell++) {
      let keys = newKeyPair(platformRandom);
      while (homeOf(FOUR, keys.id) !== cell) keys = newKeyPair(platformRandom);
      const host = `node-${cell}.example:9091`;
      const node = outside.node(host, { keys });
      await api("POST", "/v1/peers", { url: node.url });
      const dial = await until(onlyDial, ({ state }) => state === "connected");
      expect(dial).toMatchObject({ peer_id: keys.id, public_key: node.publicKey });
      expect(await peerView(keys.id)).toMatchObject({ state: "active", address: node.url });
      await until(pointers, ({ length }) => length === 1);
      expect((await api("DELETE", `/v1/dials/${dial.id}`)).status).toBe(204);
      await until(
        () => Promise.resolve(node.closes),
        ({ length }) => length > 0,
      );
      expect((await peerView(keys.id)).state).toBe("stale");
      await until(pointers, ({ length }) => length === 0);
    }
  });
});
