import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hexBytes } from "../must.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const KEY = "ab".repeat(32);

describe("advertise", () => {
  test("GS1 sends the key, address, role and measured RTT of other peers to the mesh", () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    const known = [
      { publicKey: KEY, address: "wss://198.51.100.7:9091", role: "dual", rttMs: 12.5 },
      { publicKey: hexBytes(KEY) },
    ] as const;
    expect(peer.advertise(known)).toBe(true);
    expect(session.payloads("advert")).toEqual([
      {
        peers: [
          { public_key: KEY, address: "wss://198.51.100.7:9091", role: "dual", rtt_ms: 12.5 },
          { public_key: KEY, address: "", role: "worker" },
        ],
      },
    ]);
  });

  test("GS1 returns false and sends nothing without an active session", () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    expect(peer.advertise([{ publicKey: KEY }])).toBe(false);
    void peer.close();
    expect(peer.advertise([{ publicKey: KEY }])).toBe(false);
  });

  test.each([
    ["a key of another length", [{ publicKey: "abcd" }]],
    ["an address with a space", [{ publicKey: KEY, address: "two words" }]],
    ["an address that is too long", [{ publicKey: KEY, address: "x".repeat(201) }]],
    ["a negative RTT", [{ publicKey: KEY, rttMs: -1 }]],
    ["an RTT that is not a number", [{ publicKey: KEY, rttMs: Number.NaN }]],
    ["33 peers", Array.from({ length: 33 }, () => ({ publicKey: KEY }))],
  ])("throws an OptionsError for %s", (_, known) => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    expect(() => peer.advertise(known)).toThrow(expect.objectContaining({ name: "OptionsError" }));
    expect(session.payloads("advert")).toEqual([]);
  });

  test("GS7 the mesh's answer becomes a sample event with pointer IDs of other peers", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const pointers = ["12".repeat(16), "34".repeat(16)];
    session.send("sample", { pointers });
    session.send("sample", { pointers: ["no pointer"] });
    expect(mesh.eventsOf("sample")).toEqual([{ type: "sample", pointers }]);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(1);
  });
});
