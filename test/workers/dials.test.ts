import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DialView, type PeerView } from "../../src/protocol/http.ts";
import { noOutside } from "../durable/listening-node.ts";
import { call, callWith, placesOf, problemOf } from "./http.ts";

beforeEach(() => {
  noOutside();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const URL = "wss://node.example:9091/ws";
const KEY = "fe3d33b16b7af8d3f14ea8a4e61bf5ba07ca2a9fe6df5c2ae0d41e3b0b0c5d0f";
const LOW_ORDER = "00".repeat(32);

const dial = (json: unknown) => call<DialView>("POST", "/v1/peers", { json });
const list = async (): Promise<DialView[]> =>
  (await call<{ dials: DialView[] }>("GET", "/v1/dials")).body.dials;

describe("POST /v1/peers", () => {
  it("DL1 registers an address, and answers 200 if it was registered before", async () => {
    const { status, body } = await dial({ url: URL, name: "node one" });
    expect(status).toBe(201);
    expect(DialView.strict().parse(body)).toMatchObject({
      url: URL,
      name: "node one",
      public_key: null,
      added_by: "admin",
    });
    const again = await dial({ url: URL });
    expect([again.status, again.body.id]).toEqual([200, body.id]);
    expect(await list()).toHaveLength(1);
  });

  it("DL6 with a key shows the peer at once, as discovered", async () => {
    const { body } = await dial({ url: URL, public_key: KEY });
    const peer = await call<PeerView>("GET", `/v1/peers/${body.peer_id}`);
    expect(peer.body).toMatchObject({ public_key: KEY, state: "discovered", address: URL });
  });

  it.each([
    [{}, "url"],
    [{ url: 7 }, "url"],
    [{ url: "ws://127.0.0.1:9091/ws" }, "url"],
    [{ url: `${URL}?token=secret` }, "url"],
    [{ url: `wss://${"a".repeat(3_000)}.example/` }, "url"],
    [{ url: URL, name: "-no name-" }, "name"],
  ])("DL7 refuses %j and names the wrong field", async (json, place) => {
    expect(placesOf(await dial(json))).toEqual([place]);
    expect(await list()).toEqual([]);
  });

  it.each([
    ["of low order, which no peer can prove", LOW_ORDER],
    ["in a form that no key has", "no key"],
  ])("DL6 refuses a key %s", async (_, key) => {
    problemOf(await dial({ url: URL, public_key: key }), "bad_key");
    expect(await list()).toEqual([]);
  });

  it("DL5 is refused if GO_P2P is false", async () => {
    const options = { json: { url: URL } };
    const reply = await callWith({ GO_P2P: "false" }, "POST", "/v1/peers", options);
    problemOf(reply, "conflict");
  });
});

describe("DELETE /v1/dials/:id", () => {
  it("DL11 removes the address, and answers 404 for an unknown one", async () => {
    const { body } = await dial({ url: URL });
    expect((await call("DELETE", `/v1/dials/${body.id}`)).status).toBe(204);
    expect(await list()).toEqual([]);
    problemOf(await call("DELETE", `/v1/dials/${body.id}`), "not_found");
  });
});
