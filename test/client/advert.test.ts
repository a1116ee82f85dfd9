import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hexBytes } from "../must.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const KEY = "ab".repeat(32);

describe("a peer that knows others", () => {
  test("GS1 tells the mesh of them: key, address, role and the RTT that it measured", () => {
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

  test("GS1 says nothing while it has no session", () => {
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
    ["an RTT that is no number", [{ publicKey: KEY, rttMs: Number.NaN }]],
    ["33 peers", Array.from({ length: 33 }, () => ({ publicKey: KEY }))],
  ])("can't tell of %s", (_, known) => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    expect(() => peer.advertise(known)).toThrow(expect.objectContaining({ name: "OptionsError" }));
    expect(session.payloads("advert")).toEqual([]);
  });

  test("GS7 hears of peers worth knowing, by their pointers", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const pointers = ["12".repeat(16), "34".repeat(16)];
    session.send("sample", { pointers });
    session.send("sample", { pointers: ["no pointer"] });
    expect(mesh.eventsOf("sample")).toEqual([{ type: "sample", pointers }]);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(1);
  });
});
