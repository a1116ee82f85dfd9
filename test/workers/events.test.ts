import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { EventPage, EventView, NewTokenView, TaskEventView } from "../../src/protocol/http.ts";
import type { z } from "zod";
import { GoPeer } from "../durable/go-peer.ts";
import { api, coordinatorStub, rows, submitTask, until } from "../durable/api.ts";
import type { EventStream } from "../../src/coordinator/events/stream.ts";
import { EVENT_WINDOW_CHARS } from "../../src/protocol/event-limits.ts";
import { EventStreamReader, openEvents } from "./event-stream-reader.ts";
import { call, placesOf, problemOf } from "./http.ts";

afterEach(() => reset());

const cancel = (id: string) => api("DELETE", `/v1/tasks/${id}`);
const newToken = async (scope: string) =>
  (await api<z.infer<typeof NewTokenView>>("POST", "/v1/tokens", { scope })).body;
const tasksOf = (events: readonly EventView[]) =>
  events.map((event) => [event.type, (event as z.infer<typeof TaskEventView>).task]);
const page = async (query = "", token?: string) =>
  (await call<EventPage>("GET", `/v1/events${query}`, token === undefined ? {} : { token })).body;
/** The sockets that the coordinator has for streams. */
const openSockets = () =>
  runInDurableObject(coordinatorStub(), (_, state) => state.getWebSockets().length);

describe("a stream of events", () => {
  it("EV9 has each change once, in the order of the commits, with its position", async () => {
    const stream = await EventStreamReader.open();
    const { id } = await submitTask("echo", null);
    await cancel(id);
    const peer = await GoPeer.join();
    const events = await stream.events(3);
    expect(events).toMatchObject([
      { type: "task.queued", task: id, kind: "echo", owner: "admin", previous: null },
      { type: "task.cancelled", task: id, previous: "queued" },
      { type: "peer.active", peer: peer.keys.id, previous: null, scheduling: "open" },
    ]);
    expect(stream.position).toBe(events[2]?.id);
    expect(events.every(({ at }) => Math.abs(Date.now() - Date.parse(at)) < 60_000)).toBe(true);
    await stream.close();
  });

  it("EV10 goes on after a position without gap or repetition, also after the object has hibernated or was restarted", async () => {
    const stream = await EventStreamReader.open();
    const ids: string[] = [];
    const submitAndRead = async () => {
      ids.push((await submitTask("echo", null)).id);
      expect(tasksOf(await stream.events(1))).toEqual([["task.queued", ids.at(-1)]]);
    };
    await submitAndRead();
    const first = stream.position;
    await evictDurableObject(coordinatorStub());
    await submitAndRead();
    await evictDurableObject(coordinatorStub());
    await submitAndRead();
    // The coordinator's object ends, and with it the stream.
    await evictDurableObject(coordinatorStub(), { webSockets: "close" });
    expect(await stream.rest()).toEqual([]);
    ids.push((await submitTask("echo", null)).id);
    for (const resumed of [
      await EventStreamReader.open(`?after=${first}`),
      // A browser sends the URL with which it began, and where it is by now.
      await EventStreamReader.open("?after=oldest", { lastEventId: first }),
    ]) {
      expect(tasksOf(await resumed.events(3))).toEqual(
        ids.slice(1).map((id) => ["task.queued", id]),
      );
      await resumed.close();
    }
    const newest = await EventStreamReader.open(`?after=${stream.position}`);
    expect(tasksOf(await newest.events(1))).toEqual([["task.queued", ids[3]]]);
    await newest.close();
  });

  it("EV10 a client that has got no event yet misses none when it comes back", async () => {
    const stream = await EventStreamReader.open();
    await stream.close();
    const { id } = await submitTask("echo", null);
    const resumed = await EventStreamReader.open("", { lastEventId: stream.position });
    expect(tasksOf(await resumed.events(1))).toEqual([["task.queued", id]]);
    await resumed.close();
  });

  it("EV11 a position that is not in the log leads to a gap, and to the oldest events that are kept", async () => {
    const stream = await EventStreamReader.open();
    const { id } = await submitTask("echo", null);
    const [event] = await stream.events(1);
    await stream.close();
    const mark = stream.position.split("-")[1];
    const future = `${Date.now() * 1_000 + 1e9}-${mark}`;
    for (const [after, reason] of [
      [`1-${mark}`, "overwritten"],
      [future, "unknown_position"],
      [`${stream.position.split("-")[0]}-00000000`, "other_mesh"],
    ] as const) {
      const resumed = await EventStreamReader.open(`?after=${after}`);
      expect(await resumed.gap()).toMatchObject({ reason, after });
      expect(await resumed.events(1)).toEqual([event]);
      await resumed.close();
      expect(await page(`?after=${after}`)).toMatchObject({
        gap: { reason, after },
        events: [{ task: id }],
      });
    }
  });

  it("EV11 a log that was not written for a while says so, and one of before a restore", async () => {
    const stream = await EventStreamReader.open();
    await submitTask("echo", null);
    await stream.events(1);
    await stream.close();
    await until(openSockets, (open) => open === 0);
    await rows(`UPDATE settings SET value = '1' WHERE key = 'events_followed_at'`);
    await evictDurableObject(coordinatorStub(), { webSockets: "close" });
    await submitTask("echo", "unseen");
    const resumed = await EventStreamReader.open(`?after=${stream.position}`);
    expect(await resumed.gap()).toMatchObject({ reason: "overwritten", after: stream.position });
    const { id } = await submitTask("echo", null);
    expect(tasksOf(await resumed.events(1))).toEqual([["task.queued", id]]);
    await resumed.close();
  });

  it("EV20 an open stream keeps the log written, however long nothing happens", async () => {
    const stream = await EventStreamReader.open();
    await rows(`UPDATE settings SET value = '1' WHERE key = 'events_followed_at'`);
    await evictDurableObject(coordinatorStub());
    const { id } = await submitTask("echo", null);
    expect(tasksOf(await stream.events(1))).toEqual([["task.queued", id]]);
    await stream.close();
  });

  it.each([
    ["after=1", ["after"]],
    ["after=", ["after"]],
    ["after=-1-00000000", ["after"]],
    ["after=1795348800000000-0000000g", ["after"]],
    ["type=tsak.", ["type"]],
    ["type=task.,,peer.", ["type"]],
    [`type=${Array.from({ length: 11 }, () => "task.").join(",")}`, ["type"]],
    ["kind=%20", ["kind"]],
    ["peer=me", ["peer"]],
    ["task=1", ["task"]],
    [`task=${Array.from({ length: 101 }, () => crypto.randomUUID()).join(",")}`, ["task"]],
    ["types=task.", ["types"]],
    ["limit=0", ["limit"]],
    ["type=task.&type=peer.", ["type"]],
  ])("EV12 the query %s is refused", async (query, places) => {
    for (const Accept of ["text/event-stream", "application/json"])
      expect(placesOf(await call("GET", `/v1/events?${query}`, { headers: { Accept } }))).toEqual(
        places,
      );
  });

  it("EV12 a stream with a limit is refused, and a header Last-Event-ID that is no position", async () => {
    const headers = { Accept: "text/event-stream" };
    problemOf(await call("GET", "/v1/events?limit=5", { headers }), "invalid_request");
    const lost = { ...headers, "Last-Event-ID": "x".repeat(10_000) };
    problemOf(await call("GET", "/v1/events", { headers: lost }), "invalid_request");
  });

  it("EV13 a filter selects by type, kind, owner, peer and task", async () => {
    const streams = {
      "": ["task.queued", "task.queued", "task.cancelled", "peer.active", "task.leased"],
      "type=task.": ["task.queued", "task.queued", "task.cancelled", "task.leased"],
      "type=task.cancelled,peer.": ["task.cancelled", "peer.active"],
      "kind=echo": ["task.queued", "task.cancelled"],
      "owner=admin&type=task.queued": ["task.queued", "task.queued"],
    };
    const opened = await Promise.all(
      Object.keys(streams).map((query) => EventStreamReader.open(`?${query}`)),
    );
    const { id } = await submitTask("echo", null);
    await submitTask("other", null);
    await cancel(id);
    const { keys } = await GoPeer.join();
    for (const [index, types] of Object.values(streams).entries()) {
      const stream = opened[index] as EventStreamReader;
      expect((await stream.events(types.length)).map(({ type }) => type)).toEqual(types);
      await stream.close();
    }
    const typesOf = async (query: string) =>
      (await page(`?after=oldest&${query}`)).events.map(({ type }) => type);
    expect(await typesOf(`task=${id.toUpperCase()},${crypto.randomUUID()}`)).toEqual([
      "task.queued",
      "task.cancelled",
    ]);
    expect(await typesOf(`peer=${keys.id}`)).toEqual(["peer.active", "task.leased"]);
    expect(await typesOf("owner=nobody")).toEqual([]);
  });

  it("EV16 a reader that takes nothing is sent a bounded part, and gets the rest once it reads", async () => {
    const stream = await EventStreamReader.open("?type=task.queued");
    const tasks = Array.from({ length: 100 }, () => ({ kind: "echo", payload: null }));
    for (let batch = 0; batch < 10; batch++) await api("POST", "/v1/task-batches", { tasks });
    const waiting = () =>
      runInDurableObject(coordinatorStub(), (_, state) =>
        state.getWebSockets().map((socket) => {
          const { sent, taken } = socket.deserializeAttachment() as EventStream;
          return sent - taken;
        }),
      );
    await until(waiting, ([sent = 0]) => sent >= EVENT_WINDOW_CHARS);
    expect((await waiting())[0]).toBeLessThan(2 * EVENT_WINDOW_CHARS);
    const [first, ...others] = await stream.events(1_000);
    const numbers = [first, ...others].map((event) => Number(event?.id.split("-")[0]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(1_000);
    await stream.close();
  });

  it("EV14 a controller sees the events of its own tasks only, and a viewer all", async () => {
    const [own, other, viewer] = [
      await newToken("controller"),
      await newToken("controller"),
      await newToken("viewer"),
    ];
    const stream = await EventStreamReader.open("", { token: own.token });
    const foreign = await EventStreamReader.open(`?owner=${own.id}`, { token: other.token });
    const all = await EventStreamReader.open("", { token: viewer.token });
    await submitTask("echo", null);
    await GoPeer.join();
    const mine = await call<{ id: string }>("POST", "/v1/tasks", {
      token: own.token,
      json: { kind: "mine" },
    });
    const types = ["task.queued", "peer.active", "task.leased", "task.queued"];
    expect((await all.events(4)).map(({ type }) => type)).toEqual(types);
    expect(await stream.events(1)).toMatchObject([{ task: mine.body.id, owner: own.id }]);
    expect(await page(`?owner=${own.id}`, other.token)).toMatchObject({ events: [], more: false });
    const theirs = await call<{ id: string }>("POST", "/v1/tasks", {
      token: other.token,
      json: { kind: "mine" },
    });
    await foreign.close();
    await stream.close();
    await all.close();
    expect((await page("", other.token)).events).toMatchObject([{ task: theirs.body.id }]);
    problemOf(await call("GET", "/v1/events", { token: null }), "unauthorized");
  });

  it("EV15 the stream of a token ends when the token is revoked or expires, and no other", async () => {
    const [revoked, other] = [await newToken("viewer"), await newToken("viewer")];
    const expiring = (
      await api<z.infer<typeof NewTokenView>>("POST", "/v1/tokens", {
        scope: "viewer",
        expires_seconds: 3_600,
      })
    ).body;
    const streams = await Promise.all(
      [revoked, expiring, other].map(({ token }) =>
        EventStreamReader.open("?type=task.", { token }),
      ),
    );
    const [first, second, third] = streams as [
      EventStreamReader,
      EventStreamReader,
      EventStreamReader,
    ];
    await api("DELETE", `/v1/tokens/${revoked.id}`);
    const end = { type: "end", data: { code: "unauthorized" } };
    expect(await first.rest()).toMatchObject([end]);
    expect((await openEvents("", { token: revoked.token })).status).toBe(401);
    await rows(`UPDATE api_tokens SET expires_at = 1 WHERE id = ?`, expiring.id);
    await evictDurableObject(coordinatorStub());
    const { id } = await submitTask("echo", null);
    expect(await second.rest()).toMatchObject([end]);
    expect(tasksOf(await third.events(1))).toEqual([["task.queued", id]]);
    await third.close();
  });

  it("EV17 a client that goes away frees its stream", async () => {
    const streams = await Promise.all([1, 2, 3].map(() => EventStreamReader.open()));
    expect(await openSockets()).toBe(3);
    for (const stream of streams) await stream.close();
    await until(openSockets, (open) => open === 0);
  });

  it("EV17 more streams than the limit of a token are refused with a time to wait", async () => {
    const streams: EventStreamReader[] = [];
    for (let n = 0; n < 200; n++) streams.push(await EventStreamReader.open());
    const refused = await openEvents();
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "30"]);
    expect(await refused.json()).toMatchObject({ code: "rate_limited" });
    const { token } = await newToken("viewer");
    const other = await EventStreamReader.open("", { token });
    await other.close();
    await streams.pop()?.close();
    await until(openSockets, (open) => open === 199);
    await (await EventStreamReader.open()).close();
    for (const stream of streams) await stream.close();
  });

  it("EV22 HEAD opens no stream", async () => {
    const response = await exports.default.fetch("http://mesh.test/v1/events", {
      method: "HEAD",
      headers: {
        Accept: "text/event-stream",
        Authorization: "Bearer test-admin-token-0123456789abcdef",
      },
    });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([
      200,
      "text/event-stream",
    ]);
    expect(await openSockets()).toBe(0);
  });
});

describe("a page of events", () => {
  it("EV19 pages show every event once, and say whether there are more", async () => {
    // Who reads a page follows the log.
    expect(await page()).toMatchObject({ events: [], more: false, gap: null });
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push((await submitTask("echo", n)).id);
    const seen: string[] = [];
    let [next, more] = ["oldest", true];
    while (more) {
      const read: EventPage = await page(`?limit=3&after=${next}`);
      expect(read.gap).toBe(null);
      seen.push(...tasksOf(read.events).map(([, id]) => String(id)));
      [next, more] = [read.next, read.more];
    }
    expect(seen).toEqual(ids);
    expect(await page(`?after=${next}`)).toEqual({ events: [], gap: null, next, more: false });
  });
});
