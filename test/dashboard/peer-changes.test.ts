import { describe, expect, it } from "vitest";
import { withPeerEvents } from "../../dashboard/src/model/peer-changes.ts";
import { samplePeer } from "./samples.ts";

const ID = "a".repeat(32);
const peers = new Map([[ID, samplePeer({ id: ID, name: "one" })]]);
const event = (changed: Record<string, unknown>): string =>
  JSON.stringify({
    type: "peer.stale",
    peer: ID,
    name: "one",
    state: "stale",
    previous: "active",
    scheduling: "open",
    leaving: false,
    ...changed,
  });

describe("what events say of peers", () => {
  it("DB23 a known peer has the state and the scheduling of its last event, without another request", () => {
    const { peers: after, unread } = withPeerEvents(peers, [
      event({ state: "suspect" }),
      event({ scheduling: "cordoned", state: "stale" }),
    ]);
    expect(after.get(ID)).toMatchObject({
      state: "stale",
      connected: false,
      scheduling: "cordoned",
      name: "one",
    });
    expect(unread).toEqual([]);
    expect(withPeerEvents(peers, [event({ leaving: true })]).peers.get(ID)?.scheduling).toBe(
      "draining",
    );
    expect(peers.get(ID)?.state).toBe("active");
  });

  it("DB23 a new peer, one that connects and one whose circuit changes have to be read, each once", () => {
    const other = "b".repeat(32);
    const { unread } = withPeerEvents(peers, [
      event({ peer: other, state: "active" }),
      event({ peer: other, state: "suspect" }),
      JSON.stringify({ type: "circuit.opened", peer: ID, kind: null }),
    ]);
    expect(unread).toEqual([other, ID]);
    const back = withPeerEvents(peers, [event({}), event({ state: "active" })]);
    expect(back.unread).toEqual([ID]);
  });

  it("DB23 a peer whose record was removed is not shown, and not read", () => {
    const { peers: after, unread } = withPeerEvents(peers, [
      JSON.stringify({ type: "circuit.closed", peer: ID, kind: null }),
      JSON.stringify({ type: "peer.removed", peer: ID }),
    ]);
    expect([...after.keys()]).toEqual([]);
    expect(unread).toEqual([]);
  });
});
