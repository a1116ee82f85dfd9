import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { DEFAULT_POLICY } from "../../../src/tasks/policy.ts";
import type { TaskOffer } from "../../../src/protocol/messages.ts";
import { badOutcomes } from "../../../src/scoring/outcomes.ts";
import { present } from "../../must.ts";
import { seededNumbers } from "../../random.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** What a peer does about a task that it was offered, none of which completes the task. */
const ACTIONS = [
  "accept",
  "accept_queued",
  "progress",
  "progress_queued",
  "refuse",
  "release_begun",
  "release_unbegun",
  "nothing",
  "fail",
  "reconnect",
  "drain",
] as const;
type Action = (typeof ACTIONS)[number];

/** How a stranger chooses among its actions, and the limits that the caller of the tasks has set. */
interface Strategy {
  readonly seed: number;
  readonly actions: readonly Action[];
  readonly deadlineSeconds: number;
  readonly attemptTimeoutSeconds: number;
  /** After how many seconds the caller cancels a task that has not ended; null: never. */
  readonly cancelAfter: number | null;
}

const strategies: fc.Arbitrary<Strategy> = fc.record({
  seed: fc.nat(1_000),
  actions: fc.array(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 4 }),
  deadlineSeconds: fc.constantFrom(4, 20, 300),
  attemptTimeoutSeconds: fc.constantFrom(3, 60, 3_600),
  cancelAfter: fc.constantFrom(null, 10),
});

/** Performs an action. What the coordinator refuses changes nothing. */
function act(peer: TestPeer, offer: TaskOffer, action: Action): void {
  const { mesh } = peer;
  const claim = peer.attempt(offer);
  const { task_id, fence } = offer;
  const failure = { task_id, fence, ok: false, error: "no", retry: true } as const;
  switch (action) {
    case "accept":
    case "accept_queued":
      return void mesh.attempt("accept_task", { ...claim, queued: action === "accept_queued" });
    case "progress":
    case "progress_queued": {
      const queued = action === "progress_queued";
      return void mesh.attempt("progress_task", { ...claim, progress: 0.5, queued });
    }
    case "refuse":
      return void mesh.attempt("refuse_task", { ...claim, reason: "no" });
    case "release_begun":
    case "release_unbegun": {
      const begun = action === "release_begun";
      return void mesh.attempt("release_task", { ...claim, reason: "no", begun });
    }
    case "fail": {
      const { peerId, epoch } = claim;
      return void mesh.attempt("finish_task", { peerId, epoch, outcome: failure });
    }
    case "reconnect":
      peer.leave();
      return peer.join(STRANGER);
    case "drain":
      return void mesh.attempt("peer_drains", { peerId: peer.id, epoch: peer.epoch });
    case "nothing":
      return undefined;
    default:
      return action satisfies never;
  }
}

const STRANGER = { slots: 2, prefetch: true, rttMs: 5 } as const;

/** Whether the peer holds the task by this offer now. */
function holds({ mesh, id }: TestPeer, { task_id, fence }: TaskOffer): boolean {
  const task = mesh.registry.tasks.get(task_id);
  return task?.peerId === id && task.fence === fence && task.leaseUntil !== null;
}

/** A mesh with a stranger, an honest peer that is farther away and takes a second, and a task every two seconds. */
class World {
  readonly mesh: TestMesh;
  readonly stranger: TestPeer;
  readonly honest: TestPeer;
  readonly #strategy: Strategy;
  readonly submitted: string[] = [];

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
    this.mesh = new TestMesh({ seed: strategy.seed, config: { policy: DEFAULT_POLICY } });
    this.honest = this.mesh.join(B, { slots: 2, rttMs: 500 });
    this.stranger = this.mesh.join(A, STRANGER);
  }

  /**
   * @param step seconds between two actions of the peers
   * @param submitsUntil the second from which on no more tasks are submitted
   */
  run(seconds: number, { step = 1, submitsUntil = Infinity } = {}): void {
    const random = seededNumbers(this.#strategy.seed);
    const { actions, cancelAfter } = this.#strategy;
    for (let second = 0; second < seconds; second += step) {
      if (second % 2 === 0 && second < submitsUntil) this.#submit();
      const cancelled = this.submitted.at(-(cancelAfter ?? Infinity) / 2);
      if (cancelAfter !== null && cancelled !== undefined)
        this.mesh.attempt("cancel_task", { id: cancelled, visibleTo: null });
      for (const offer of this.honest.offers)
        if (holds(this.honest, offer))
          this.honest.mesh.run("finish_task", this.honest.successInput("done", offer));
      for (const offer of this.stranger.offers.slice(-8))
        if (holds(this.stranger, offer))
          act(this.stranger, offer, actions[Math.floor(random() * actions.length)] ?? "nothing");
      for (const peer of this.#connected()) peer.observe("answered");
      for (const offer of this.honest.offers.slice(-8))
        if (holds(this.honest, offer)) this.mesh.attempt("accept_task", this.honest.attempt(offer));
      this.mesh.runFor(step * SECOND);
    }
  }

  /** The longest time for which the stranger has held a task under one offer, in milliseconds. */
  longestHeld(): number {
    const [row] = this.mesh.rows(
      `SELECT MAX(COALESCE(ended_at, ${this.mesh.now}) - started_at) AS longest FROM attempts WHERE peer_id = '${A.id}'`,
    );
    return Number(row?.["longest"] ?? 0);
  }

  #connected = (): readonly TestPeer[] =>
    [this.honest, this.stranger].filter(({ view }) => view.state !== "stale");

  #submit(): void {
    const { deadlineSeconds, attemptTimeoutSeconds } = this.#strategy;
    const limits = {
      deadline_seconds: deadlineSeconds,
      attempt_timeout_seconds: attemptTimeoutSeconds,
    };
    this.submitted.push(this.mesh.submit({ kind: "echo", ...limits }).id);
  }
}

describe("a stranger that holds tasks and completes none", () => {
  test.each(ACTIONS.filter((action) => action !== "reconnect" && action !== "drain"))(
    "AS123 has bad outcomes when all it does is: %s",
    (action) => {
      for (const deadlineSeconds of [4, 300]) {
        const limits = { deadlineSeconds, attemptTimeoutSeconds: 60, cancelAfter: null };
        const world = new World({ seed: 1, actions: [action], ...limits });
        world.run(3 * 60);
        const { outcomes } = present(world.mesh.registry.observed.get(A.id));
        expect(badOutcomes(outcomes)).toBeGreaterThan(0);
      }
    },
  );

  test("AS123 gets few tasks and harms fewer, whatever it does", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(strategies, (strategy) => {
        const world = new World(strategy);
        world.run(5 * 60);
        const before = { submitted: world.submitted.length, offers: world.stranger.offers.length };
        world.run(5 * 60);
        // Without the newest tasks, which may not have ended.
        const ended = world.submitted.slice(before.submitted, -5);
        const lost = ended.filter((id) => world.mesh.task(id).state !== "succeeded").length;
        expect(lost).toBeLessThan(ended.length / 10);
        // A peer that reconnects all the time delays tasks, and holds none.
        if (!strategy.actions.includes("reconnect"))
          expect(world.stranger.offers.length - before.offers).toBeLessThan(ended.length / 2);
      }),
      { numRuns: 8 },
    );
  });

  test(
    "AS123 holds no task for longer than an attempt and a wait for a slot may take",
    { timeout: 120_000 },
    () => {
      fc.assert(
        fc.property(strategies, (strategy) => {
          const world = new World({ ...strategy, deadlineSeconds: 86_400, cancelAfter: null });
          world.honest.leave();
          world.run(3 * 3_600, { step: 30, submitsUntil: 90 });
          const limit = strategy.attemptTimeoutSeconds * SECOND;
          const longest = limit + Math.max(limit, HOUR) + MINUTE;
          expect(world.longestHeld()).toBeLessThanOrEqual(longest);
        }),
        { numRuns: 6 },
      );
    },
  );
});
