import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import {
  EVENT_HEARTBEAT_INTERVAL,
  EVENT_STREAM_TIMEOUT,
  EVENT_WINDOW_CHARS,
} from "../../../src/protocol/event-limits.ts";
import { eventStream } from "../../../workers/event-stream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The gateway's end of the coordinator's socket. */
class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  isClosed = false;
  accept(): void {}
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  receive(data: string): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  end(code: number, reason: string): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

function opened() {
  const socket = new FakeSocket();
  const reader = eventStream(socket as unknown as WebSocket).getReader();
  const next = async () => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { socket, reader, next };
}

test("EV18 a client that waits gets a comment every 15 s, and the coordinator every 30 s a heartbeat that its platform answers", async () => {
  const { socket, next } = opened();
  for (let beat = 1; beat <= 10; beat++) {
    const heartbeat = next();
    await vi.advanceTimersByTimeAsync(EVENT_HEARTBEAT_INTERVAL);
    expect(await heartbeat).toBe(": heartbeat\n\n");
    expect(socket.sent).toHaveLength(Math.floor(beat / 2));
    socket.receive("pong");
  }
  expect(socket.sent.every((text) => text === "ping")).toBe(true);
});

test("EV18 a client that does not read gets no heartbeats", async () => {
  const { socket, next } = opened();
  socket.receive("id: 1\n\n");
  for (let beat = 1; beat <= 5; beat++) {
    await vi.advanceTimersByTimeAsync(EVENT_HEARTBEAT_INTERVAL);
    socket.receive("pong");
  }
  socket.receive("id: 2\n\n");
  expect([await next(), await next()]).toEqual(["id: 1\n\n", "id: 2\n\n"]);
});

test("EV18 a stream ends whose coordinator answers no heartbeat", async () => {
  const { socket, next } = opened();
  const beats = [1, 2, 3, 4, 5, 6].map(() => next());
  await vi.advanceTimersByTimeAsync(EVENT_STREAM_TIMEOUT + EVENT_HEARTBEAT_INTERVAL);
  expect((await Promise.all(beats)).at(-1)).toBe(null);
  expect(socket.isClosed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("EV16 the coordinator is told what the client has taken, and nothing before it has", async () => {
  const { socket, next } = opened();
  const text = "x".repeat(EVENT_WINDOW_CHARS / 4);
  for (let n = 0; n < 4; n++) socket.receive(text);
  await vi.advanceTimersByTimeAsync(0);
  expect(socket.sent).toEqual([]);
  await next();
  expect(socket.sent).toEqual([]);
  await next();
  expect(socket.sent).toEqual([String(EVENT_WINDOW_CHARS / 2)]);
  await next();
  await next();
  expect(socket.sent.at(-1)).toBe(String(EVENT_WINDOW_CHARS));
});

test("EV15 what has come is still read at the end, and a refused token is the last event", async () => {
  for (const [code, last] of [
    [1006, []],
    [CLOSE.denied, [expect.stringMatching(/^event: end\ndata: \{"code":"unauthorized"/)]],
  ] as const) {
    const { socket, next } = opened();
    socket.receive("id: 1\n\n");
    socket.end(code, "revoked");
    const texts: (string | null)[] = [];
    do texts.push(await next());
    while (texts.at(-1) !== null);
    expect(texts).toEqual(["id: 1\n\n", ...last, null]);
    expect(vi.getTimerCount()).toBe(0);
  }
});

test("EV17 a client that goes away closes the coordinator's socket", async () => {
  const { socket, reader } = opened();
  await reader.cancel();
  expect(socket.isClosed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
