import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  controller,
  discover,
  DiscoveryReader,
  type Discovered,
  type DiscoveryKeys,
  type DiscoverOptions,
} from "../../src/client/index.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import type { PointerView } from "../../src/protocol/http.ts";
import { coordinatorStub, pointers, TOKEN, until } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { hexBytes, present } from "../must.ts";
import { call, ORIGIN } from "./http.ts";

afterEach(async () => {
  await reset();
});

const fetch = (url: string, init: RequestInit): Promise<Response> =>
  exports.default.fetch(url, init);
const mesh = () => controller({ url: ORIGIN, token: TOKEN, fetch });
const published = (count: number) => until(pointers, ({ length }) => length === count);

type Discoverer = Pick<DiscoveryReader, "discover">;

/** All peers that discovery finds. */
async function found(options: DiscoverOptions = {}, discovery: Discoverer = mesh().discovery) {
  const names: string[] = [];
  for await (const each of discovery.discover(options))
    if (each.type === "found") names.push(each.peer.name);
  return names.toSorted();
}

/** Follows discovery, and records each event. */
function following(options: DiscoverOptions = {}, discovery: Discoverer = mesh().discovery) {
  const seen: Discovered[] = [];
  const ending = new AbortController();
  const done = (async () => {
    const more = { follow: true, intervalMs: 20, signal: ending.signal };
    for await (const each of discovery.discover({ ...options, ...more })) seen.push(each);
  })();
  const told = (count: number) =>
    until(
      async () => seen,
      ({ length }) => length === count,
    );
  const stop = async () => {
    ending.abort();
    await done;
  };
  return { seen, told, stop };
}

/** Ends the epoch, as happens after a day. */
async function turnEpoch(): Promise<void> {
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    storage.sql.exec("UPDATE discovery_epochs SET opened_at = opened_at - 86400000");
  });
  await runDurableObjectAlarm(coordinatorStub());
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    storage.sql.exec("UPDATE outbox SET due_at = 0");
  });
  await runDurableObjectAlarm(coordinatorStub());
}

describe("discovery in the SDK", () => {
  it("DS25 finds and opens every peer over several pages, and only those that match the filter", async () => {
    await GoPeer.join({ name: "anna" });
    await GoPeer.join({ name: "bert" });
    await GoPeer.join({ name: "carl", muster: { v: 1, capabilities: ["gpu"], slots: 1 } });
    await published(3);
    expect(await found()).toEqual(["anna", "bert", "carl"]);
    expect(await found({ capability: "gpu" })).toEqual(["carl"]);
    expect(await found({ role: "controller" })).toEqual([]);
    expect(await found({ minScore: 0.99 })).toEqual([]);
    const keys = await mesh().discovery.keys();
    const names: string[] = [];
    for await (const each of discover({ url: ORIGIN, keys, fetch, role: "worker" }))
      names.push(each.type === "found" ? each.peer.name : each.type);
    expect(names.toSorted()).toEqual(["anna", "bert", "carl"]);
  });

  it("DS25 follows peers that join, change and leave", async () => {
    const anna = await GoPeer.join({ name: "anna" });
    await published(1);
    const { seen, told, stop } = following();
    await told(1);
    const bert = await GoPeer.join({ name: "bert" });
    await told(2);
    await GoPeer.join({ keys: bert.keys, name: "berta" });
    await told(3);
    anna.close();
    await told(4);
    await stop();
    expect(
      seen.map((each) =>
        each.type === "found" ? each.peer.name : [each.type, "id" in each && each.id],
      ),
    ).toEqual(["anna", "bert", "berta", ["gone", anna.keys.id]]);
  });

  it("DS25 continues to follow after a short outage, and fails after a long one", async () => {
    await GoPeer.join({ name: "anna" });
    await published(1);
    let asked = 0;
    let down = false;
    const flaky = controller({
      url: ORIGIN,
      token: TOKEN,
      fetch: async (url, init) => {
        if (!down || !url.includes("/v1/pointers")) return fetch(url, init);
        asked++;
        return Response.json({}, { status: 502 });
      },
    });
    const { told, stop } = following({}, flaky.discovery);
    await told(1);
    down = true;
    await GoPeer.join({ name: "bert" });
    await until(
      async () => asked,
      (times) => times > 2,
    );
    down = false;
    await told(2);
    await stop();
    const impatient = (async () => {
      const options = { follow: true, intervalMs: 1, patienceMs: 0 };
      for await (const _ of flaky.discovery.discover(options)) down = true;
    })();
    await expect(impatient).rejects.toMatchObject({ status: 502 });
  });

  it("DS25 reports no event when the epoch changes: the peers are the same", async () => {
    await GoPeer.join({ name: "anna" });
    const [before] = await published(1);
    const discovery = mesh().discovery;
    const { seen, told, stop } = following({}, discovery);
    await told(1);
    await turnEpoch();
    const [after] = await until(pointers, ([pointer]) => pointer?.epoch === 2);
    expect(after?.id).not.toBe(before?.id);
    await GoPeer.join({ name: "bert" });
    await told(2);
    await stop();
    expect(seen.map(({ type }) => type)).toEqual(["found", "found"]);
  });

  it("DS25 finds a peer by its ID, and none by an unknown ID", async () => {
    const anna = await GoPeer.join({ name: "anna" });
    await published(1);
    const discovery = mesh().discovery;
    expect(await discovery.find(anna.keys.id)).toMatchObject({ name: "anna" });
    expect(await discovery.find("0".repeat(32))).toBeNull();
  });

  it("DS19 resolves a pointer with only the epoch's key, and refuses a changed one", async () => {
    const anna = await GoPeer.join({ name: "anna" });
    const pointer = present((await published(1))[0]);
    const keys = await mesh().discovery.keys();
    const discovery = new DiscoveryReader({ url: ORIGIN, keys, fetch });
    const key = present(keys.epochs[0]).private_key;
    expect((await discovery.resolve(pointer)).id).toBe(anna.keys.id);
    expect((await discovery.resolve(pointer, key)).id).toBe(anna.keys.id);
    for (const changed of [{ seq: pointer.seq + 1 }, { blob_id: "0".repeat(32) }])
      await expect(discovery.resolve({ ...pointer, ...changed })).rejects.toMatchObject({
        code: "statement_forged",
      });
    anna.close();
    await published(0);
    const [back] = await GoPeer.join({ keys: anna.keys }).then(() => published(1));
    await discovery.resolve(present(back));
    await expect(discovery.resolve(pointer)).rejects.toMatchObject({ code: "statement_old" });
  });

  it("DS26 uses another edge if one fails, or if its data is older than data seen before", async () => {
    await GoPeer.join({ name: "anna" });
    await published(1);
    const stale = await (
      await fetch(`${ORIGIN}/v1/pointers`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      })
    ).text();
    await GoPeer.join({ name: "bert" });
    await published(2);
    const asked = vi.fn(async (url: string, init: RequestInit) => {
      if (url.startsWith("http://down.test")) throw new TypeError("no route");
      return url.startsWith("http://old.test/v1/pointers")
        ? new Response(stale, { headers: { "Content-Type": "application/json" } })
        : fetch(url.replace("http://old.test", ORIGIN), init);
    });
    const urls = ["http://down.test", "http://old.test", ORIGIN];
    const discovery = new DiscoveryReader({
      url: urls,
      keys: () => mesh().discovery.keys(),
      fetch: asked,
    });
    // A client that has seen no newer data accepts the old copy.
    expect(await found({}, discovery)).toEqual(["anna"]);
    await discovery.resolve(present((await pointers())[0]));
    const current = new DiscoveryReader({
      url: ORIGIN,
      keys: () => mesh().discovery.keys(),
      fetch,
    });
    expect(await found({}, current)).toEqual(["anna", "bert"]);
    const order = [ORIGIN, "http://old.test", ORIGIN];
    let turn = 0;
    const switching = new DiscoveryReader({
      url: ["http://any.test", ORIGIN],
      keys: () => mesh().discovery.keys(),
      fetch: (url, init) =>
        asked(url.replace("http://any.test", order[Math.min(turn++, 2)] ?? ORIGIN), init),
    });
    expect(await found({}, switching)).toEqual(["anna", "bert"]);
    turn = 1;
    expect(await found({}, switching)).toEqual(["anna", "bert"]);
  });

  it("DS8 fetches new keys if its keys are refused", async () => {
    await GoPeer.join({ name: "anna" });
    await published(1);
    const discovery = mesh().discovery;
    expect(await found({}, discovery)).toEqual(["anna"]);
    const { body } = await call<{ id: string; token: string }>("POST", "/v1/tokens", {
      json: { scope: "controller" },
    });
    const spy = controller({ url: ORIGIN, token: body.token, fetch });
    const had = await spy.discovery.keys();
    await runInDurableObject(coordinatorStub(), (_, { storage }) => {
      storage.sql.exec("UPDATE discovery_epochs SET opened_at = opened_at - 3600000");
    });
    await call("DELETE", `/v1/tokens/${body.id}`);
    await runInDurableObject(coordinatorStub(), (_, { storage }) => {
      storage.sql.exec("UPDATE outbox SET due_at = 0");
    });
    await runDurableObjectAlarm(coordinatorStub());
    await until(pointers, ([pointer]) => pointer?.epoch === 2);
    expect(await found({}, discovery)).toEqual(["anna"]);
    const lost = new DiscoveryReader({ url: ORIGIN, keys: had, fetch });
    await expect(found({}, lost)).rejects.toMatchObject({ status: 401 });
  });
});

describe("a list of changes since a position", () => {
  interface Listed {
    readonly pointers: PointerView[];
    readonly removed: { id: string; signature: string | null }[];
    readonly since: string;
    readonly next_cursor: string | null;
    readonly checkpoint: { seq: number; epochs: number[] };
  }
  const list = async (query: string) => (await call<Listed>("GET", `/v1/pointers?${query}`)).body;

  it("DS24 contains all changes, including removals, and nothing else", async () => {
    const anna = await GoPeer.join({ name: "anna" });
    await GoPeer.join({ name: "bert" });
    await published(2);
    const start = await list("");
    expect(start.since).toBe(String(start.checkpoint.seq));
    expect(await list(`since=${start.since}`)).toMatchObject({ pointers: [], removed: [] });
    await GoPeer.join({ name: "carl" });
    await published(3);
    anna.close();
    await published(2);
    const changed = await list(`since=${start.since}`);
    expect(changed.pointers).toHaveLength(1);
    expect(changed.removed).toEqual([
      expect.objectContaining({ signature: expect.stringMatching(/^[0-9a-f]{128}$/) as string }),
    ]);
    const known = new Set(start.pointers.map(({ id }) => id));
    expect(known).toContain(changed.removed[0]?.id);
    expect(known).not.toContain(changed.pointers[0]?.id);
    expect(await list(`since=${changed.since}`)).toMatchObject({ pointers: [], removed: [] });
  });

  it("DS24 has pages, too", async () => {
    for (const name of ["a", "b", "c"]) await GoPeer.join({ name });
    await published(3);
    const seen: string[] = [];
    let page = await list("since=0&limit=2");
    for (; page.next_cursor !== null; page = await list(`since=${page.since}&limit=2`))
      seen.push(...page.pointers.map(({ id }) => id));
    seen.push(...page.pointers.map(({ id }) => id));
    expect(seen.toSorted()).toEqual((await list("")).pointers.map(({ id }) => id));
  });

  it("DS24 refuses a malformed position", async () => {
    for (const since of ["-1", "x", "1.5", "01", "9".repeat(20)])
      expect((await call("GET", `/v1/pointers?since=${since}`)).status).toBe(400);
  });
});

it("DS18 a reader token of no epoch is refused", async () => {
  const keys: DiscoveryKeys = await mesh().discovery.keys();
  const secret = hexBytes(present(keys.epochs[0]).pointer_secret).toReversed();
  const token = readerToken(secret);
  expect((await call("GET", "/v1/pointers", { token })).status).toBe(401);
});
