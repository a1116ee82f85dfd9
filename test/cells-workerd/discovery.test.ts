import { reset } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { homeOf, SINGLE, withCells } from "../../src/cells/topology.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { connectPeer, DiscoveryReader, type Peer } from "../../src/client/index.ts";
import { present } from "../must.ts";
import { api, pointers, until } from "../durable/api.ts";
import { sdkPlatform } from "../durable/sdk-socket.ts";
import { ORIGIN } from "../workers/http.ts";

const fetch = (url: string, init?: RequestInit): Promise<Response> =>
  exports.default.fetch(new Request(url, init));

const peers: Peer[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  await reset();
});

const FOUR = withCells(SINGLE, 4, 0, 1);
/** A key of each of these cells. */
function keysOf(cells: readonly number[]): readonly KeyPair[] {
  return cells.map((cell) => {
    for (;;) {
      const keys = newKeyPair(platformRandom);
      if (homeOf(FOUR, keys.id) === cell) return keys;
    }
  });
}

/** A member of the mesh, connected by the SDK. */
async function member(keys: KeyPair, name: string): Promise<Peer> {
  await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, { label: name, roles: ["worker"] });
  const peer = connectPeer({
    url: ORIGIN,
    privateKey: keys.privateKey,
    name,
    handlers: {},
    platform: sdkPlatform(fetch),
  });
  peers.push(peer);
  await until(
    () => Promise.resolve(peer.discoveryKeys),
    (known) => known !== null,
  );
  return peer;
}

const reader = (peer: Peer): DiscoveryReader =>
  new DiscoveryReader({ url: ORIGIN, keys: present(peer.discoveryKeys), fetch });

describe("discovery in a mesh of four cells", () => {
  it("CE120 CE124 members of different cells find each other", async () => {
    const keys = keysOf([1, 2, 0]);
    const members = [];
    for (const [at, each] of keys.entries()) members.push(await member(each, `member ${at}`));
    await until(pointers, ({ length }) => length === 3);
    for (const peer of members)
      for (const [at, { id }] of keys.entries())
        expect(await reader(peer).find(id)).toMatchObject({ id, name: `member ${at}` });
  });

  it("CE122 CE125 a member that is revoked in its cell reads nothing from the answer on, and is not found", async () => {
    const [gone, other] = keysOf([3, 1]) as [KeyPair, KeyPair];
    const revoked = await member(gone, "revoked");
    await member(other, "other");
    await until(pointers, ({ length }) => length === 2);
    const before = reader(revoked);
    expect(await before.find(other.id)).toMatchObject({ id: other.id });
    expect((await api("POST", `/v1/peers/${gone.id}/revoke`)).status).toBe(200);
    expect(await pointers()).toHaveLength(1);
    await expect(before.find(other.id)).rejects.toMatchObject({ status: 401 });
  });
});
