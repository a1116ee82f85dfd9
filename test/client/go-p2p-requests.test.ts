import { describe, expect, test } from "vitest";
import { FakeMesh } from "./fake-mesh.ts";

/** An answer takes a few turns of the event loop. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a go-p2p request that the mesh forwards", () => {
  test("AS22 is answered by the handler of its kind, never by the wildcard handler", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join({
      handlers: {
        "go-p2p/get_logs": (payload, { kind }) => ({ kind, payload }),
        "*": () => "never",
      },
    });
    session.send("get_logs", { lines: 2 });
    session.send("start_miner", null);
    await settle();
    expect(session.payloads("logs")).toEqual([{ kind: "go-p2p/get_logs", payload: { lines: 2 } }]);
    expect(session.payloads("error")).toMatchObject([{ code: 1003 }]);
    expect(session.payloads("miner_ack")).toEqual([]);
  });

  test("AS22 for stats is answered also without a handler", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join({ name: "old hand" });
    session.send("get_stats", null);
    await settle();
    const stats = { nodeId: peer.id, nodeName: "old hand", miners: [] };
    expect(session.payloads("stats")).toMatchObject([stats]);
  });

  test("AS22 is answered with an error when the handler throws, or too many requests are running", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join({
      handlers: {
        "go-p2p/deploy": () => {
          throw new Error("no room");
        },
        "go-p2p/get_logs": () => new Promise(() => {}),
      },
    });
    session.send("deploy", null);
    for (let n = 0; n < 16; n++) session.send("get_logs", null);
    await settle();
    expect(session.payloads("error")).toContainEqual({ code: 1004, message: "no room" });
    expect(session.payloads("error")).toContainEqual({
      code: 1004,
      message: "too many requests at once",
    });
    expect(session.payloads("error")).toHaveLength(2);
  });
});

describe("announce", () => {
  test("AS5 informs the mesh, applies the change, and repeats it in the next handshake", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join({
      slots: 1,
      prefetch: false,
      handlers: { "*": () => new Promise(() => {}) },
    });
    peer.announce({ capabilities: ["gpu"], slots: 2 });
    expect(session.payloads("announce")).toEqual([{ capabilities: ["gpu"], slots: 2 }]);
    for (const n of [1, 2, 3])
      session.offer({ task_id: `00000000-0000-4000-8000-00000000000${n}` });
    expect(session.payloads("task_accept")).toHaveLength(2);
    expect(() => peer.announce({ slots: -1 })).toThrow();
  });

  test("AS61 changes the kinds, which must have handlers", () => {
    const { peer, session } = new FakeMesh().join({
      handlers: { echo: () => null, render: () => null },
    });
    peer.announce({ kinds: ["echo"] });
    expect(session.payloads("announce")).toEqual([{ kinds: ["echo"] }]);
    expect(() => peer.announce({ kinds: ["echo", "resize"] })).toThrow(
      "kinds: this peer has no handler for resize",
    );
  });
});
