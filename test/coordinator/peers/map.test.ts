import { describe, expect, it } from "vitest";
import { KEYS, TestMesh } from "../mesh.ts";

const [A, B, C] = KEYS;
const LONDON = { latitude: 51.5074, longitude: -0.1278 };
const NEW_YORK = { latitude: 40.71278, longitude: -74.00594 };

describe("the map", () => {
  it("SC42 has the connected peers with the places of their addresses, rounded to a tenth of a degree", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    mesh.join(A, { place: NEW_YORK });
    const gone = mesh.join(B, { place: NEW_YORK });
    mesh.join(C);
    gone.leave();
    const { peers, mesh: shown, truncated } = mesh.run("get_map", {});
    expect(peers.map(({ id }) => id)).toEqual([A.id, C.id].toSorted());
    expect(peers.find(({ id }) => id === A.id)).toEqual({
      id: A.id,
      region: "enam",
      location: { latitude: 40.7, longitude: -74 },
    });
    expect(peers.find(({ id }) => id === C.id)).toEqual({ id: C.id });
    expect(shown.location).toEqual({ latitude: 51.5, longitude: -0.1 });
    expect(truncated).toBe(false);
  });

  it("SC42 has the network coordinates of peers that reported round trips, as points", () => {
    const mesh = new TestMesh();
    const a = mesh.join(A);
    mesh.join(B);
    const rtts = [{ to: B.id, rttMs: 40 }];
    mesh.run("report_rtts", { peerId: a.id, epoch: a.epoch, rtts });
    const { peers } = mesh.run("get_map", {});
    const [one, other] = [A.id, B.id].map((id) => peers.find((peer) => peer.id === id));
    expect(one?.network).toEqual({ x_ms: expect.any(Number), y_ms: expect.any(Number) });
    expect(other).toEqual({ id: B.id });
  });
});
