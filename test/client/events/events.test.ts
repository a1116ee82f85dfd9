import { afterEach, describe, expect, test, vi } from "vitest";
import { MusterApiError, OptionsError, type MeshEvent } from "../../../src/client/index.ts";
import { EVENT_SILENCE_MAX } from "../../../src/client/timings.ts";
import { problem } from "../fake-api.ts";
import { eventOf, StreamingMesh } from "./streaming-mesh.ts";

afterEach(() => void vi.useRealTimers());

const next = async (events: AsyncGenerator<MeshEvent>): Promise<MeshEvent> => {
  const { value, done } = await events.next();
  if (done === true) throw new Error("the events have ended");
  return value;
};
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describe("the events of a mesh", () => {
  test("SK35 go on after the last position, however a stream ends, with each event once", async () => {
    const mesh = new StreamingMesh();
    const events = mesh
      .client()
      .events({ types: ["peer.", "task.failed"], kind: "echo", after: "oldest" });
    const first = next(events);
    const opened = await mesh.stream(0);
    expect(Object.fromEntries(opened.query)).toEqual({
      type: "peer.,task.failed",
      kind: "echo",
      after: "oldest",
    });
    opened.position(1);
    opened.event(2);
    expect(await first).toEqual(eventOf(2));
    const second = next(events);
    opened.end();
    const resumed = await mesh.stream(1);
    expect(resumed.query.get("after")).toBe(eventOf(2).id);
    // A position without an event counts, too.
    resumed.position(7);
    resumed.end();
    const again = await mesh.stream(2);
    expect(again.query.get("after")).toBe(eventOf(7).id);
    again.event(8);
    expect(await second).toEqual(eventOf(8));
    await events.return();
    expect(mesh.streams.map(({ isCancelled }) => isCancelled)).toEqual([true, true, true]);
  });

  test("SK35 ride out an outage, and give up when the mesh does not answer for outageMs", async () => {
    const mesh = new StreamingMesh();
    let failures = 3;
    mesh.answer = () => (failures-- > 0 ? problem(503, "unavailable")() : null);
    const events = mesh.client().events({ outageMs: 60_000 });
    const first = next(events);
    (await mesh.stream(0)).event(1);
    expect(await first).toEqual(eventOf(1));
    failures = Number.POSITIVE_INFINITY;
    (await mesh.stream(0)).fail();
    const bounded = mesh.client().events({ outageMs: 50 });
    expect(await errorOf(bounded.next())).toMatchObject({ code: "unavailable" });
    await events.return();
  });

  test("SK36 a gap is an event, and types of a newer mesh are left out", async () => {
    const mesh = new StreamingMesh();
    const events = mesh.client().events();
    const first = next(events);
    const stream = await mesh.stream(0);
    const gap = { reason: "overwritten", after: eventOf(1).id, until: eventOf(5).id };
    stream.send(`id: ${gap.until}\nevent: gap\ndata: ${JSON.stringify(gap)}\n\n`);
    expect(await first).toEqual({
      type: "gap",
      id: gap.until,
      reason: "overwritten",
      after: gap.after,
    });
    const second = next(events);
    stream.event(6, { type: "star.exploded" });
    stream.event(7);
    expect(await second).toEqual(eventOf(7));
    await events.return();
  });

  test("SK36 the iteration throws when the token is over, and when the mesh refuses the stream", async () => {
    const mesh = new StreamingMesh();
    const events = mesh.client().events();
    const first = errorOf(events.next());
    const data = JSON.stringify({ code: "unauthorized", detail: "this token was revoked" });
    (await mesh.stream(0)).send(`event: end\ndata: ${data}\n\n`);
    expect(await first).toBeInstanceOf(MusterApiError);
    expect(await first).toMatchObject({ code: "unauthorized", status: 401 });
    for (const [status, code] of [
      [401, "unauthorized"],
      [403, "forbidden"],
      [404, "not_found"],
      [400, "invalid_request"],
    ] as const) {
      mesh.answer = problem(status, code);
      expect(await errorOf(mesh.client().events().next())).toMatchObject({ status, code });
    }
  });

  test.each([
    ["an answer that is no stream", Response.json({ events: [] })],
    [
      "a message without an end",
      new Response("data: ".padEnd(100_000, "x"), {
        headers: { "content-type": "text/event-stream" },
      }),
    ],
    [
      "a gap that is none",
      new Response("event: gap\ndata: {}\n\n", {
        headers: { "content-type": "text/event-stream" },
      }),
    ],
  ])("SK36 %s is refused", async (_, answer) => {
    const mesh = new StreamingMesh();
    mesh.answer = () => answer;
    expect(await errorOf(mesh.client().events().next())).toMatchObject({
      code: "invalid_response",
    });
  });

  test("SK37 a signal ends the iteration at once with its reason, and closes the stream", async () => {
    for (const moment of ["before", "waiting for the answer", "waiting for an event"]) {
      const mesh = new StreamingMesh();
      const abort = new AbortController();
      const reason = new Error(`over ${moment}`);
      if (moment === "before") abort.abort(reason);
      if (moment === "waiting for the answer") mesh.answer = problem(503, "unavailable");
      const events = mesh.client().events({ signal: abort.signal });
      const ended = errorOf(events.next());
      if (moment === "waiting for an event") (await mesh.stream(0)).position(1);
      abort.abort(reason);
      expect(await ended).toBe(reason);
      expect(mesh.streams.every(({ isCancelled }) => isCancelled)).toBe(true);
    }
  });

  test("SK38 a stream of which nothing is heard for 45 s is opened again", async () => {
    vi.useFakeTimers();
    const mesh = new StreamingMesh();
    const events = mesh.client().events();
    const first = next(events);
    const stream = await mesh.stream(0);
    stream.position(1);
    for (let beat = 0; beat < 5; beat++) {
      await vi.advanceTimersByTimeAsync(EVENT_SILENCE_MAX - 1_000);
      stream.send(": heartbeat\n\n");
    }
    expect(mesh.streams).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(EVENT_SILENCE_MAX + 5_000);
    const resumed = await mesh.stream(1);
    expect(resumed.query.get("after")).toBe(eventOf(1).id);
    resumed.event(2);
    expect(await first).toEqual(eventOf(2));
    await events.return();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("SK38 a program that takes its time with an event does not lose the stream", async () => {
    vi.useFakeTimers();
    const mesh = new StreamingMesh();
    const events = mesh.client().events();
    const first = next(events);
    const stream = await mesh.stream(0);
    stream.event(1);
    await first;
    await vi.advanceTimersByTimeAsync(10 * EVENT_SILENCE_MAX);
    stream.event(2);
    expect(await next(events)).toEqual(eventOf(2));
    expect(mesh.streams).toHaveLength(1);
    await events.return();
  });

  test("HT38 an option that does not exist is refused before any request", () => {
    const mesh = new StreamingMesh();
    expect(() => mesh.client().events({ type: "task." } as never)).toThrow(OptionsError);
    expect(() => mesh.client().events({ outageMs: -1 })).toThrow(OptionsError);
  });
});
