import { describe, expect, test } from "vitest";
import {
  MusterApiError,
  type KeptDelivery,
  type RefusedDelivery,
} from "../../../src/client/index.ts";
import {
  DeliveryWatch,
  type TaskState,
  type WatchedSource,
  type WatchEvent,
} from "../../../src/cli/webhooks/delivery-watch.ts";
import { watch } from "../../../src/cli/webhooks/watch-loop.ts";
import { present } from "../../must.ts";
import { seededNumbers } from "../../random.ts";

const KEPT_MAX = 100;
const timeOf = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString();

/** A source in memory, as the mesh keeps it, whose answers may fail. */
class FakeSource implements WatchedSource {
  deliveriesKept: KeptDelivery[] = [];
  refusals = new Map<string, RefusedDelivery>();
  unknown = 0;
  tasksKept: TaskState[] = [];
  now = 0;
  fails: () => boolean = () => false;
  /** Called between two pages: what arrives while a list is read. */
  meanwhile: () => void = () => undefined;

  deliver(outcome: KeptDelivery["outcome"]): KeptDelivery {
    const n = ++this.now;
    const isTask = outcome === "task";
    const task_id = isTask ? `task-${n}` : null;
    const kept: KeptDelivery = {
      id: `delivery-${n}`,
      received_at: timeOf(n),
      delivery_id: "1",
      outcome,
      task_id,
      detail: isTask ? null : `detail ${n}`,
      bytes: 2,
      replayable: true,
      replay_of: null,
    };
    this.deliveriesKept = [kept, ...this.deliveriesKept].slice(0, KEPT_MAX);
    if (task_id !== null)
      this.tasksKept.unshift({
        id: task_id,
        kind: "build",
        state: "queued",
        ended_at: null,
        error: null,
      });
    return kept;
  }

  refuse(code: string, recorded = false): void {
    const before = this.refusals.get(code);
    this.refusals.set(code, {
      id: before?.id ?? `refusal-${code}`,
      first_at: timeOf(0),
      last_at: timeOf(++this.now),
      count: (before?.count ?? 0) + 1,
      code,
      detail: `why ${code}`,
      status: 401,
      in_deliveries: recorded,
      method: "POST",
      headers: {},
      address: "192.0.2.1",
      bytes: 2,
    });
  }

  end(id: string): void {
    this.tasksKept = this.tasksKept.map((task) =>
      task.id === id ? { ...task, state: "succeeded", ended_at: timeOf(++this.now) } : task,
    );
  }

  #answer<T>(value: () => T): Promise<T> {
    if (this.fails()) return Promise.reject(new MusterApiError("unreachable", 0, "no answer"));
    const answer = value();
    this.meanwhile();
    return Promise.resolve(answer);
  }

  refused() {
    return this.#answer(() => ({
      refused: [...this.refusals.values()],
      unknown_sources:
        this.unknown === 0
          ? null
          : { first_at: timeOf(0), last_at: timeOf(this.now), count: this.unknown },
    }));
  }

  /** Pages of three, each after the last item of the page before, as the mesh reads them. */
  async *#pages<T extends { readonly id: string }>(all: () => readonly T[]): AsyncGenerator<T> {
    let last: T | null = null;
    for (;;) {
      const after: T | null = last;
      const { page, rest } = await this.#answer((): { page: readonly T[]; rest: number } => {
        const items = all();
        const at = after === null ? 0 : items.findIndex(({ id }) => id === after.id) + 1;
        return { page: items.slice(at, at + 3), rest: items.length - at - 3 };
      });
      yield* page;
      if (rest <= 0) return;
      last = page.at(-1) ?? null;
    }
  }

  deliveries = (): AsyncIterable<KeptDelivery> => this.#pages(() => this.deliveriesKept);
  tasks = (): AsyncIterable<TaskState> => this.#pages(() => this.tasksKept);
  task = (id: string): Promise<TaskState | null> =>
    this.#answer(() => this.tasksKept.find((task) => task.id === id) ?? null);
}

const shown = (events: readonly WatchEvent[]): string[] =>
  events.map((event) => {
    switch (event.type) {
      case "delivery":
        return `${event.outcome} ${event.delivery} ${event.kind ?? "-"}`;
      case "refused":
        return `refused ${event.code} ${event.count}`;
      case "unknown_source":
        return `unknown ${event.count}`;
      case "task_ended":
        return `${event.state} ${event.task_id}`;
      case "missed":
        return "missed";
      default:
        return event satisfies never;
    }
  });

describe("what `muster webhook listen` shows", () => {
  test("CL28 is what arrives after its start, in the order of its times, and the end of each task", async () => {
    const source = new FakeSource();
    source.deliver("task");
    source.refuse("signature_missing");
    source.unknown = 5;
    const deliveries = new DeliveryWatch(source);
    expect(await deliveries.poll()).toEqual([]);
    const { task_id } = source.deliver("task");
    source.refuse("signature_missing");
    source.refuse("signature_missing");
    source.deliver("filtered");
    source.unknown = 6;
    expect(shown(await deliveries.poll())).toEqual([
      "task delivery-3 build",
      "refused signature_missing 2",
      "filtered delivery-6 -",
      "unknown 1",
    ]);
    expect(await deliveries.poll()).toEqual([]);
    source.end(String(task_id));
    expect(shown(await deliveries.poll())).toEqual(["succeeded task-3"]);
    expect(await deliveries.poll()).toEqual([]);
  });

  test("CL28 shows a refused task once, though both lists have it", async () => {
    const source = new FakeSource();
    const deliveries = new DeliveryWatch(source);
    await deliveries.poll();
    source.deliver("unmapped");
    source.refuse("event_unmapped", true);
    expect(shown(await deliveries.poll())).toEqual(["unmapped delivery-1 -"]);
  });

  test("CL28 says that there may have been more when the list is full of new ones", async () => {
    const source = new FakeSource();
    source.deliver("filtered");
    const deliveries = new DeliveryWatch(source);
    await deliveries.poll();
    for (let n = 0; n < 99; n++) source.deliver("filtered");
    expect((await deliveries.poll()).filter(({ type }) => type === "missed")).toEqual([]);
    for (let n = 0; n < KEPT_MAX + 1; n++) source.deliver("filtered");
    const events = await deliveries.poll();
    expect(events).toHaveLength(KEPT_MAX + 1);
    expect(events.filter(({ type }) => type === "missed")).toHaveLength(1);
  });

  test("CL28 nothing is missed or repeated, whatever arrives and fails in between", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededNumbers(seed);
      const below = (n: number): number => Math.floor(random() * n);
      const source = new FakeSource();
      const arrived: string[] = [];
      let refused = 0;
      let unknown = 0;
      const open: string[] = [];
      const ended: string[] = [];
      const arrive = (): void => {
        const act = below(5);
        if (act <= 1) {
          const kept = source.deliver(
            act === 0 ? "task" : (present(["filtered", "refused"][below(2)]) as "filtered"),
          );
          arrived.push(kept.id);
          if (kept.task_id !== null) open.push(kept.task_id);
        } else if (act === 2) {
          source.refuse(present(["signature_missing", "rate_limited"][below(2)]));
          refused++;
        } else if (act === 3) {
          source.unknown++;
          unknown++;
        } else {
          const [id] = open.splice(below(open.length + 1), 1);
          if (id === undefined) return;
          source.end(id);
          ended.push(id);
        }
      };
      const deliveries = new DeliveryWatch(source);
      await deliveries.poll();
      source.fails = () => random() < 0.03;
      source.meanwhile = () => random() < 0.3 && arrive();
      const events: WatchEvent[] = [];
      const poll = async (): Promise<void> => {
        try {
          events.push(...(await deliveries.poll()));
        } catch (error) {
          expect(error).toBeInstanceOf(MusterApiError);
        }
      };
      for (let round = 0; round < 60; round++) {
        for (let n = below(8); n > 0; n--) arrive();
        await poll();
      }
      source.fails = () => false;
      source.meanwhile = () => undefined;
      await poll();
      await poll();
      expect(events.filter(({ type }) => type === "missed")).toEqual([]);
      const sum = (type: string): number =>
        events.reduce(
          (total, each) => total + (each.type === type && "count" in each ? each.count : 0),
          0,
        );
      expect(events.flatMap((each) => (each.type === "delivery" ? [each.delivery] : []))).toEqual(
        arrived,
      );
      expect([sum("refused"), sum("unknown_source")]).toEqual([refused, unknown]);
      expect(
        events.flatMap((each) => (each.type === "task_ended" ? [each.task_id] : [])).toSorted(),
      ).toEqual(ended.toSorted());
      const kinds = events.flatMap((each) =>
        each.type === "delivery" && each.outcome === "task" ? [each.kind] : [],
      );
      expect(new Set(kinds)).toEqual(new Set(["build"]));
    }
  });
});

class Stop extends Error {}

/** Watches a mesh that answers with these, one a poll: events, or an error. Returns what was said and how long was waited. */
async function watched(answers: readonly (readonly WatchEvent[] | Error)[]) {
  const said: string[] = [];
  const pauses: number[] = [];
  const events: WatchEvent[] = [];
  let polls = 0;
  const run = watch({
    poll: () => {
      const answer = answers[polls++];
      if (answer === undefined) return Promise.reject(new Stop());
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    show: (event) => events.push(event),
    say: (text) => said.push(text),
    sleep: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
  const error = await run.catch((thrown: unknown) => thrown);
  return { said, pauses, events, error };
}

const MISSED: WatchEvent = { type: "missed", at: "" };
const away = () => new MusterApiError("unreachable", 0, "http://mesh does not answer");
const busy = (retryAfter: number) =>
  new MusterApiError("rate_limited", 429, "too many requests", { retryAfter });

describe("how `muster webhook listen` asks", () => {
  test("CL28 it asks once a second, and goes on after an outage, which it mentions once", async () => {
    const { said, pauses, events, error } = await watched([
      [],
      [MISSED],
      away(),
      away(),
      new MusterApiError("invalid_response", 502, "bad gateway"),
      [MISSED],
      [],
    ]);
    expect(error).toBeInstanceOf(Stop);
    expect(events).toHaveLength(2);
    expect(pauses).toEqual([1_000, 1_000, 1_000, 2_000, 4_000, 1_000, 1_000]);
    expect(said).toEqual([
      "unreachable: http://mesh does not answer; trying again until it answers",
      "the mesh answers again",
    ]);
  });

  test("CL28 it waits as long as a busy mesh asks it to", async () => {
    const { pauses } = await watched([[], busy(30), []]);
    expect(pauses).toEqual([1_000, 30_000, 1_000]);
  });

  test.each([
    ["no answer at the start", [away()]],
    ["a token that was revoked", [[], new MusterApiError("unauthorized", 401, "no")]],
    ["a source that was removed", [[], new MusterApiError("not_found", 404, "no")]],
    ["a defect", [[], new TypeError("x")]],
  ])("CL28 it ends with an error: %s", async (_what, answers) => {
    const { error } = await watched(answers);
    expect(error).toBe(answers.at(-1));
  });
});
