import { array, assert, asyncProperty, constantFrom, integer, oneof, record } from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { ANSWER_WINDOW_FRAMES } from "../../src/client/connection/answer-window.ts";
import type { Connection } from "../../src/client/connection/connection.ts";
import type { OutgoingMessage } from "../../src/client/connection/outgoing-message.ts";
import { SendPacer } from "../../src/client/connection/send-pacer.ts";
import { MusterApiError } from "../../src/client/errors.ts";
import type { TaskRunnerOptions } from "../../src/client/work/runner-options.ts";
import { TaskRunner } from "../../src/client/work/task-runner.ts";
import { TASK_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { Json } from "../../src/base/json.ts";
import type { PayloadOf } from "../../src/protocol/messages.ts";
import { taskId } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const settle = () => vi.advanceTimersByTimeAsync(0);

interface Attempt {
  readonly task_id: string;
  readonly fence: number;
}
const keyOf = ({ task_id, fence }: Attempt): string => `${task_id} ${fence}`;

/** A session between a runner and a mesh that processes frames in order, when the test lets it. */
function newSession() {
  const frames: OutgoingMessage[] = [];
  const sent: OutgoingMessage[] = [];
  let made = 0;
  const pacer = new SendPacer({
    now: Date.now,
    emit: (message) => {
      frames.push(message);
      sent.push(message);
      const answers = frames.filter(({ type }) => type !== "ping");
      expect(answers.length).toBeLessThanOrEqual(ANSWER_WINDOW_FRAMES);
      return 200;
    },
    newPing: () => ({
      id: `ping ${made++}`,
      type: "ping",
      payload: null,
      replyTo: undefined,
      onSent: undefined,
    }),
  });
  const connection: Connection = {
    send: (type, payload, replyTo, onSent) => {
      const id = `message ${made++}`;
      return pacer.send({ id, type, payload: payload as Json, replyTo, onSent }) ? id : null;
    },
    close: () => Promise.resolve(),
  };
  return { pacer, connection, frames, sent };
}

/** A runner of 256 slots. Its handlers return at once, throw, or hang until the test releases them. */
function newWorld(
  slots = 256,
  upload: TaskRunnerOptions["upload"] = () => Promise.reject(new Error("no upload")),
) {
  const hanging: (() => void)[] = [];
  const started: string[] = [];
  const confirmed: string[] = [];
  const cancelled: (readonly [string, string])[] = [];
  const hang = () => new Promise<null>((resolve) => hanging.push(() => resolve(null)));
  const runner = new TaskRunner({
    handlers: {
      instant: () => "done",
      large: () => "x".repeat(300_000),
      failing: () => {
        throw new Error("failed on purpose");
      },
      hanging: hang,
    },
    slots,
    prefetch: false,
    now: Date.now,
    random: () => 0.5,
    inlineBytesMax: TASK_RESULT_BYTES_MAX,
    download: () => Promise.reject(new Error("no download")),
    upload,
    emit: (event) => {
      if (event.type === "task_started") started.push(event.taskId);
      if (event.type === "task_succeeded" || event.type === "task_failed")
        confirmed.push(event.taskId);
      if (event.type === "task_cancelled") cancelled.push([event.taskId, event.reason]);
    },
  });
  let session = newSession();
  /** What the mesh knows of each task: the newest fence, and whether it has ended. */
  const tasks = new Map<string, { kind: string; fence: number; ended: boolean }>();
  const offer = (id: string): void => {
    const task = tasks.get(id);
    if (task === undefined) return;
    const { kind, fence } = task;
    const fields = { payload: NULL_JSON, attempt: fence, lease_seconds: 60 };
    const message = { task_id: id, fence, kind, ...fields };
    session.pacer.offerReceived(message as never);
    runner.offer(message);
  };
  const process = (count: number): void => {
    for (const { id, type, payload } of session.frames.splice(0, count)) {
      if (type === "ping" && !session.pacer.pongReceived(id)) runner.pongReceived(id);
      const task =
        type === "task_result" ? tasks.get((payload as unknown as Attempt).task_id) : null;
      if (!task) continue;
      if (task.fence === (payload as unknown as Attempt).fence) task.ended = true;
      else runner.errorReceived({ code: 1002, message: "too late", details: "lease_lost" }, id);
    }
  };
  const openTasks = () => [...tasks].filter(([, { ended }]) => !ended).map(([id]) => id);
  return {
    runner,
    started,
    confirmed,
    cancelled,
    tasks,
    process,
    openTasks,
    isDone: () => openTasks().length === 0 && confirmed.length === tasks.size,
    get session() {
      return session;
    },
    attach: () => runner.attach(session.connection),
    offerNew: (kind: string, count: number): void => {
      for (let n = 0; n < count && openTasks().length < slots; n++) {
        const id = taskId(tasks.size);
        tasks.set(id, { kind, fence: 1, ended: false });
        offer(id);
      }
    },
    release: () => {
      for (const end of hanging.splice(0)) end();
    },
    /** The session ends; unprocessed frames are lost. The mesh offers again what the peer does not hold. */
    reconnect: (): void => {
      session.pacer.stop();
      runner.detach();
      const held = new Set(runner.heldTasks().slice(0, 40).map(keyOf));
      session = newSession();
      runner.attach(session.connection);
      for (const id of openTasks()) {
        const task = tasks.get(id);
        if (task === undefined || held.has(keyOf({ task_id: id, fence: task.fence }))) continue;
        task.fence++;
        offer(id);
      }
    },
  };
}

const of = (session: ReturnType<typeof newSession>, type: string): readonly Attempt[] =>
  session.sent.filter((each) => each.type === type).map(({ payload }) => payload as never);

/** Every attempt of the session is accepted once at most, and no result of an accepted attempt precedes its accept. */
function expectOrder(
  session: ReturnType<typeof newSession>,
  fromEarlier: ReadonlySet<string>,
): void {
  const accepted = new Set<string>();
  for (const { type, payload } of session.sent) {
    const key = type === "ping" ? "" : keyOf(payload as unknown as Attempt);
    if (type === "task_accept") {
      expect(accepted.has(key)).toBe(false);
      accepted.add(key);
    }
    if (type === "task_result" && !accepted.has(key)) expect(fromEarlier.has(key)).toBe(true);
  }
}

describe("a peer with 256 slots", () => {
  test("accepts 256 offers before it sends the first result of an instant handler", async () => {
    const world = newWorld();
    world.attach();
    world.offerNew("instant", 256);
    world.process(Number.POSITIVE_INFINITY);
    await settle();
    for (let round = 0; round < 20; round++) {
      world.process(Number.POSITIVE_INFINITY);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(of(world.session, "task_accept")).toHaveLength(256);
    expect(of(world.session, "task_result")).toHaveLength(256);
    const types = world.session.sent.map(({ type }) => type);
    expect(types.indexOf("task_result")).toBeGreaterThan(types.lastIndexOf("task_accept"));
  });

  test("starts no handler before its accept was sent, and none whose session ended first", async () => {
    const world = newWorld();
    world.attach();
    for (let n = 0; n < 1_000; n++) {
      const unknown = { ...OFFER, task_id: taskId(20_000 + n), kind: "unknown" };
      world.session.pacer.offerReceived(unknown as never);
      world.runner.offer(unknown);
    }
    world.offerNew("instant", 10);
    await settle();
    expect(of(world.session, "task_accept")).toEqual([]);
    expect(world.started).toEqual([]);
    world.runner.detach();
    world.session.pacer.stop();
    await settle();
    expect(world.started).toEqual([]);
    expect(world.runner.heldTasks()).toEqual([]);
  });

  test("loses no task and keeps the order of each attempt, whatever its handlers do and whenever sessions end", async () => {
    const step = oneof(
      record({
        kind: constantFrom("instant", "failing", "hanging"),
        offers: integer({ min: 1, max: 256 }),
      }),
      record({ frames: integer({ min: 1, max: 400 }) }),
      record({ ms: integer({ min: 0, max: 2_000 }) }),
      constantFrom("reconnect", "release"),
    );
    const property = asyncProperty(array(step, { maxLength: 24 }), async (script) => {
      const world = newWorld();
      world.attach();
      const earlier = new Set<string>();
      const reconnect = (): void => {
        expectOrder(world.session, earlier);
        for (const attempt of of(world.session, "task_accept")) earlier.add(keyOf(attempt));
        world.reconnect();
      };
      for (const each of script) {
        if (each === "reconnect") reconnect();
        else if (each === "release") world.release();
        else if ("offers" in each) world.offerNew(each.kind, each.offers);
        else if ("frames" in each) world.process(each.frames);
        else await vi.advanceTimersByTimeAsync(each.ms);
        await settle();
      }
      for (let round = 0; round < 300 && !world.isDone(); round++) {
        world.release();
        world.process(Number.POSITIVE_INFINITY);
        await vi.advanceTimersByTimeAsync(100);
      }
      expect(world.openTasks()).toEqual([]);
      expectOrder(world.session, earlier);
      // Each was committed before it was reported, and reported once.
      expect([...world.confirmed].toSorted()).toEqual([...world.tasks.keys()].toSorted());
      world.session.pacer.stop();
      world.runner.stop("the end");
    });
    await assert(property, { numRuns: 30 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

const OFFER: PayloadOf<"task_offer"> = {
  task_id: taskId(0),
  fence: 1,
  kind: "instant",
  payload: NULL_JSON,
  attempt: 1,
  lease_seconds: 60,
};

describe("an answer that the mesh could not process for now", () => {
  const unavailable = { code: 1005, message: "busy", details: "unavailable", retry_after: 1 };
  const last = (world: ReturnType<typeof newWorld>, type: string) =>
    world.session.sent.filter((each) => each.type === type).at(-1)?.id;

  test.each(["unavailable", "storage_full"])(
    "SV25 %s is sent again after the time that the mesh names: an accept twice while the offer lasts, a result for an hour and longer",
    async (details) => {
      const refusal = { ...unavailable, details };
      const world = newWorld();
      world.attach();
      world.offerNew("instant", 1);
      await settle();
      for (const [type, sends] of [
        ["task_accept", 3],
        ["task_result", 400],
      ] as const) {
        for (let n = 1; n < sends; n++) {
          expect(world.runner.errorReceived(refusal, last(world, type))).toBe(true);
          await vi.advanceTimersByTimeAsync(999);
          expect(of(world.session, type)).toHaveLength(n);
          await vi.advanceTimersByTimeAsync(type === "task_accept" ? 500 : 12_000);
          expect(of(world.session, type)).toHaveLength(n + 1);
        }
        const isRepeated = type === "task_result";
        expect(world.runner.errorReceived(refusal, last(world, type))).toBe(isRepeated);
      }
      expect(world.runner.heldTasks()).toEqual([{ task_id: taskId(0), fence: 1 }]);
    },
  );

  test("is not sent again by a timer once the session has ended: a result goes out with the next one", async () => {
    const world = newWorld();
    world.attach();
    world.offerNew("instant", 1);
    await settle();
    expect(world.runner.errorReceived(unavailable, last(world, "task_accept"))).toBe(true);
    expect(world.runner.errorReceived(unavailable, last(world, "task_result"))).toBe(true);
    const ended = world.session;
    world.reconnect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(of(ended, "task_result")).toHaveLength(1);
    expect(of(world.session, "task_result")).toHaveLength(1);
    expect(of(world.session, "task_accept")).toEqual([]);
  });

  test("WK8 is not sent again for another error, which is reported, and ends the attempt", async () => {
    const world = newWorld();
    world.attach();
    world.offerNew("instant", 1);
    await settle();
    const lost = { ...unavailable, details: "lease_lost" };
    expect(world.runner.errorReceived(lost, last(world, "task_result"))).toBe(false);
    expect(world.cancelled).toEqual([[taskId(0), "the mesh refused the result: busy"]]);
    for (let round = 0; round < 3; round++) {
      await vi.advanceTimersByTimeAsync(100);
      world.process(Number.POSITIVE_INFINITY);
    }
    expect(world.confirmed).toEqual([]);
  });
});

describe("an upload for which the mesh's disk has no room", () => {
  const full = () =>
    Promise.reject(new MusterApiError("storage_full", 507, "the disk is full", { retryAfter: 5 }));
  const STORED = { bytes: 300_002, sha256: "sha" };
  const offerLarge = (world: ReturnType<typeof newWorld>) => {
    world.attach();
    world.runner.offer({ ...OFFER, kind: "large", upload: "secret" });
  };

  test("SV25 is repeated until it has", async () => {
    let tries = 0;
    const world = newWorld(1, () => (++tries < 40 ? full() : Promise.resolve(STORED)));
    offerLarge(world);
    for (let n = 0; n < 39; n++) {
      await settle();
      expect([tries, of(world.session, "task_result")]).toEqual([n + 1, []]);
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(of(world.session, "task_result")).toMatchObject([{ uploaded: STORED }]);
    world.runner.stop("the end");
  });

  test("SV25 is not repeated once the mesh has cancelled the task", async () => {
    let tries = 0;
    const world = newWorld(1, () => (tries++, full()));
    offerLarge(world);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(tries).toBeGreaterThan(4);
    world.runner.cancel({ ...OFFER, reason: "cancelled" });
    const before = tries;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(tries).toBe(before);
    expect(of(world.session, "task_result")).toEqual([]);
    world.runner.stop("the end");
  });
});
