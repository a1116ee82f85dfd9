import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { moduleUrl } from "../../../src/client/threads/module-url.ts";
import type { Peer } from "../../../src/client/peer/peer-handle.ts";
import type { PeerOptions } from "../../../src/client/peer/peer-options.ts";
import { FakeMesh, taskId } from "../fake-mesh.ts";
import { wire } from "../../wire.ts";
import { InlineThreads } from "./inline-thread.ts";

let peers: Peer[] = [];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  // A thread whose handlers are running is given time to end: by a timer, which has to be a fake one.
  for (const peer of peers) void peer.close();
  peers = [];
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

function connect(threads: InlineThreads, options: Partial<PeerOptions> = {}) {
  const mesh = new FakeMesh();
  const peer = mesh.connect({
    handlersModule: "https://modules.test/handlers.js",
    ...options,
    platform: { spawnThread: threads.spawn },
  });
  peer.ready.catch(() => {});
  peers.push(peer);
  return { mesh, peer };
}

describe("a peer whose handlers are in a module", () => {
  test("WK7 dials when the module is loaded, and announces the module's kinds", async () => {
    const module = Promise.withResolvers<unknown>();
    const threads = new InlineThreads(() => module.promise);
    const { mesh, peer } = connect(threads);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(threads.loaded).toEqual(["https://modules.test/handlers.js"]);
    expect(peer.state).toBe("loading");
    expect(mesh.sessions).toEqual([]);
    module.resolve({ handlers: { resize: () => "done", rescale: () => "done" } });
    await settle();
    const { identity } = mesh.lastSession.open();
    expect(identity.muster).toMatchObject({ kinds: ["resize", "rescale"] });
  });

  test("WK7 ends with the reason when the module can't be loaded", async () => {
    const { mesh, peer } = connect(
      new InlineThreads(() => Promise.reject(new Error("no such file"))),
    );
    const expected = {
      code: "handlers_not_loaded",
      message:
        "the handlers' module https://modules.test/handlers.js can't be loaded: no such file",
    };
    await expect(peer.closed).rejects.toMatchObject(expected);
    await expect(peer.ready).rejects.toMatchObject(expected);
    expect(peer.state).toBe("closed");
    expect(mesh.sessions).toEqual([]);
  });

  test("WK7 ends with the reason when a kind of the module is not valid", async () => {
    const { peer } = connect(
      new InlineThreads(() => Promise.resolve({ handlers: { "not a kind": () => null } })),
    );
    await expect(peer.closed).rejects.toMatchObject({ code: "handlers_not_loaded" });
  });

  test("WK7 gives a module 30 s to load", async () => {
    const threads = new InlineThreads(() => new Promise(() => {}));
    const { peer } = connect(threads);
    const closed = expect(peer.closed).rejects.toMatchObject({
      message: expect.stringContaining("it was not loaded within 30000 ms"),
    });
    await vi.advanceTimersByTimeAsync(30_000);
    await closed;
    expect(threads.terminated).toBeGreaterThan(0);
  });

  test("WK7 that is closed meanwhile never dials", async () => {
    const module = Promise.withResolvers<unknown>();
    const { mesh, peer } = connect(new InlineThreads(() => module.promise));
    await settle();
    await peer.close();
    module.resolve({ handlers: { work: () => null } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(mesh.sessions).toEqual([]);
    await peer.closed;
  });

  test("WK4 runs offered tasks in the threads, and ends the threads when it closes", async () => {
    const threads = new InlineThreads(() =>
      Promise.resolve({ handlers: { work: (payload: number) => payload * 2 } }),
    );
    const { mesh, peer } = connect(threads);
    await settle();
    const session = mesh.welcomeNext();
    session.offer({ task_id: taskId(1), payload: 21 });
    await settle();
    expect(session.payloads("task_result")).toMatchObject([{ ok: true, result: 42 }]);
    expect(threads.terminated).toBe(0);
    void peer.close();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(threads.terminated).toBeGreaterThan(0);
  });

  test("WK5 frees the slot of an attempt that has timed out when the thread is gone, 1 s later", async () => {
    const threads = new InlineThreads(() =>
      Promise.resolve({ handlers: { work: () => new Promise(() => {}) } }),
    );
    const { mesh } = connect(threads, { prefetch: false });
    await settle();
    const session = mesh.welcomeNext();
    session.offer({ task_id: taskId(1), attempt_timeout_seconds: 10 });
    await vi.advanceTimersByTimeAsync(10_999);
    expect(session.payloads("task_result")).toMatchObject([{ ok: false, retry: true }]);
    session.offer({ task_id: taskId(2) });
    expect(session.payloads("task_accept")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    session.offer({ task_id: taskId(3) });
    expect(session.payloads("task_accept")).toHaveLength(2);
  });

  test("WK4 ignores what a handler itself posts to its parent", async () => {
    const threads = new InlineThreads(() =>
      Promise.resolve({ handlers: { work: () => new Promise(() => {}) } }),
    );
    const { mesh } = connect(threads);
    await settle();
    const session = mesh.welcomeNext();
    session.offer({ task_id: taskId(1) });
    for (const data of [null, "text", 7, { type: "returned", json: "1" }, [1]])
      threads.listeners[0]?.message(data);
    await settle();
    expect(session.payloads("task_result")).toEqual([]);
  });

  test("WK7 announces the kinds of the module and of its own handlers, of which the own ones run", async () => {
    const module = { handlers: { a: () => "module", b: () => "module" } };
    const threads = new InlineThreads(() => Promise.resolve(module));
    const { mesh } = connect(threads, { handlers: { b: () => "own", "*": () => "own" } });
    await settle();
    expect(mesh.lastSession.open().identity.muster).toMatchObject({ kinds: ["a", "b", "*"] });
    const session = mesh.lastSession;
    session.ack();
    session.welcome();
    for (const [n, kind] of ["a", "b"].entries()) {
      session.offer({ task_id: taskId(n), kind });
      await settle();
    }
    const results = session.payloads("task_result").map((payload) => wire(payload));
    expect(results).toMatchObject([{ result: "module" }, { result: "own" }]);
  });

  test("WK7 takes only the kinds that it is told to, and refuses others", async () => {
    const threads = new InlineThreads(() =>
      Promise.resolve({ handlers: { a: () => 1, b: () => 1 } }),
    );
    const { mesh } = connect(threads, { kinds: ["b"] });
    await settle();
    expect(mesh.lastSession.open().identity.muster).toMatchObject({ kinds: ["b"] });
    const session = mesh.lastSession;
    session.ack();
    session.welcome();
    session.offer({ task_id: taskId(1), kind: "a" });
    expect(session.payloads("task_refuse")).toMatchObject([{ reason: "no handler for a" }]);
  });

  test("WK7 ends with the kind that has no handler", async () => {
    const threads = new InlineThreads(() => Promise.resolve({ handlers: { a: () => 1 } }));
    const { peer } = connect(threads, { kinds: ["b"] });
    await expect(peer.closed).rejects.toMatchObject({
      code: "handlers_not_loaded",
      message: "kinds: there is no handler for b, only for a",
    });
  });
});

describe("the URL of a handlers' module", () => {
  const folder = `file://${process.cwd()}`;

  test.each([
    [new URL("https://modules.test/h.js?v=2"), "https://modules.test/h.js?v=2"],
    ["https://modules.test/h.js", "https://modules.test/h.js"],
    ["data:text/javascript,export default {}", "data:text/javascript,export default {}"],
    ["file:///h.js", "file:///h.js"],
    ["./h.js", `${folder}/h.js`],
    ["h.js", `${folder}/h.js`],
    ["/opt/h.js", "file:///opt/h.js"],
    ["100%/what?/#1.js", `${folder}/100%25/what%3F/%231.js`],
  ])("of %s is %s", (module, url) => {
    expect(moduleUrl(module)).toBe(url);
  });
});
