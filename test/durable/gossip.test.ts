import { evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { PeerView } from "../../src/protocol/http.ts";
import { api, peerView, pointers, rows, sessionStub, until } from "./api.ts";
import { interceptCommand } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";
import { MESH_KEYS, NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const stranger = () => newKeyPair(platformRandom);
const advertised = (keys: { readonly publicKey: Uint8Array }, more: object = {}) => ({
  public_key: toHex(keys.publicKey),
  role: "worker",
  ...more,
});

const discovered = async () =>
  (await api<{ peers: PeerView[] }>("GET", "/v1/peers?state=discovered")).body.peers;

describe("adverts over real sockets", () => {
  it("GS2 an advertised peer is listed over HTTP, and GS7 the advert is answered with pointers of other peers", async () => {
    const [peer, other] = [await NoisePeer.join(), await NoisePeer.join()];
    const published = await until(pointers, (all) => all.length === 2);
    const unknown = stranger();
    const address = "wss://198.51.100.7:9091";
    const peers = [
      advertised(unknown, { address, rtt_ms: 4 }),
      advertised(other.keys),
      advertised(MESH_KEYS),
    ];
    const sent = peer.send("advert", { peers });
    const { replyTo, payload } = await peer.readType("sample");
    expect(replyTo).toBe(sent.id);
    const sample = (payload as { pointers: string[] }).pointers;
    expect(sample).toHaveLength(1);
    expect(published.map(({ id }) => id)).toContain(sample[0]);
    expect(await discovered()).toMatchObject([
      { id: unknown.id, address, hops: 2, told_by: { peer_id: peer.keys.id, ping_ms: 4 } },
    ]);
    expect(await peerView(unknown.id)).toMatchObject({ state: "discovered", connected: false });
  });

  it("GS1 an advert over go-p2p 1.0 is accepted from a peer that announces Muster's messages", async () => {
    const peer = await GoPeer.join();
    const unknown = stranger();
    const sent = peer.send("advert", { peers: [advertised(unknown)] });
    expect(await peer.readType("sample")).toMatchObject({
      replyTo: sent.id,
      payload: { pointers: [] },
    });
    expect(await discovered()).toMatchObject([{ id: unknown.id }]);
  });

  it("GS8 a second advert within a minute is refused, also after hibernation, and the session continues", async () => {
    const peer = await NoisePeer.join();
    peer.send("advert", { peers: [] });
    await peer.readType("sample");
    await evictDurableObject(await sessionStub(peer.keys.id));
    for (let n = 0; n < 5; n++) {
      const sent = peer.send("advert", { peers: [advertised(stranger())] });
      expect(await peer.readType("error")).toMatchObject({
        replyTo: sent.id,
        payload: { code: 1004 },
      });
    }
    peer.send("ping", { sentAt: 7 });
    expect(await peer.readType("pong")).toMatchObject({ payload: { sentAt: 7 } });
    expect(await rows("SELECT * FROM advertised_peers")).toEqual([]);
  });

  it("GS3 an advertised entry is replaced when the peer proves its own key", async () => {
    const peer = await NoisePeer.join();
    const keys = stranger();
    peer.send("advert", {
      peers: [advertised(keys, { role: "controller", address: "elsewhere" })],
    });
    await peer.readType("sample");
    await NoisePeer.join({ keys });
    expect(await peerView(keys.id)).toMatchObject({ state: "active", hops: 1, role: "worker" });
    expect(await discovered()).toEqual([]);
  });

  it("GS7 an advert is answered with an error when the coordinator does not answer", async () => {
    const peer = await NoisePeer.join();
    const error = { code: "unavailable", detail: "injected: no coordinator" } as const;
    interceptCommand("hear_advert", async () => [{ ok: false, error }]);
    const sent = peer.send("advert", { peers: [] });
    expect(await peer.readType("error")).toMatchObject({ replyTo: sent.id });
  });
});
