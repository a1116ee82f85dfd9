import { afterEach, describe, expect, test, vi } from "vitest";
import { FakeMesh } from "./fake-mesh.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

afterEach(() => void vi.useRealTimers());

const [A, B] = ["0a".repeat(16), "0b".repeat(16)] as const;

describe("reportRtts", () => {
  test("SC26 sends the measured round-trip times to the mesh", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    expect(peer.reportRtts([{ peerId: A, rttMs: 3 }])).toBe(false);
    await peer.ready;
    const measured = [
      { peerId: A, rttMs: 12.5 },
      { peerId: B, rttMs: 0 },
    ];
    expect(peer.reportRtts(measured)).toBe(true);
    const expected = measured.map(({ peerId, rttMs }) => ({ to: peerId, rttMs }));
    await waitFor(() => expect(mesh.rttReports).toEqual([expected]));
    await peer.close();
    expect(peer.reportRtts(measured)).toBe(false);
  });

  test("SC26 returns false and sends nothing by go-p2p 1.0", () => {
    vi.useFakeTimers();
    const { peer, session } = new FakeMesh().join();
    expect(peer.reportRtts([{ peerId: A, rttMs: 3 }])).toBe(false);
    expect(session.payloads("rtts")).toEqual([]);
  });

  test.each([
    ["no measurement", []],
    ["more than 16 measurements", Array.from({ length: 17 }, () => ({ peerId: A, rttMs: 3 }))],
    ["an ID that is not a peer's", [{ peerId: "somebody", rttMs: 3 }]],
    ["a negative time", [{ peerId: A, rttMs: -1 }]],
    ["a time over 10 s", [{ peerId: A, rttMs: 10_001 }]],
  ])("can't tell of %s", (_, measured) => {
    vi.useFakeTimers();
    const { peer } = new FakeMesh().join();
    expect(() => peer.reportRtts(measured)).toThrow(
      expect.objectContaining({ name: "OptionsError" }),
    );
  });
});
