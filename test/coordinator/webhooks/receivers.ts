import { CallbackRunner } from "../../../durable/callback-runner.ts";
import type { CallbackRequest } from "../../../src/contract/webhooks.ts";
import type { Answer } from "../../../src/webhooks/index.ts";
import { submission, TestMesh } from "../mesh.ts";

/** What a receiver does with an attempt: how long it takes, and its answer; null: none before the attempt's timeout. */
export type Behavior = (now: number) => { readonly after: number; readonly answer: Answer } | null;

export const answers =
  (status: number, more: { after?: number; retryAfter?: number } = {}): Behavior =>
  () => ({
    after: more.after ?? 100,
    answer: { status, error: null, retryAfter: more.retryAfter ?? null },
  });
/** It accepts and says nothing; so does one that sends its headers byte by byte. */
export const hangs: Behavior = () => null;
export const resets: Behavior = () => ({
  after: 1,
  answer: { status: null, error: "the receiver can't be reached", retryAfter: null },
});

interface Sent {
  readonly taskId: string;
  readonly origin: string;
  readonly sender: number;
  readonly at: number;
  endedAt: number | null;
  status: number | null;
}

interface Event {
  readonly at: number;
  readonly happen: () => void;
}

/** A mesh, receivers, and the real runner between them, with a clock that moves from event to event. */
export class Receivers {
  readonly mesh = new TestMesh();
  readonly sent: Sent[] = [];
  readonly start = this.mesh.now;
  readonly #behaviors = new Map<string, Behavior>();
  readonly #runner: CallbackRunner;
  #events: Event[] = [];

  constructor() {
    const { mesh } = this;
    this.#runner = new CallbackRunner({
      send: (sender, request) => this.#receive(sender, request),
      claim: (inProgress, afterOwners) =>
        mesh.run("claim_callback", { inProgress, afterOwners }).request,
      answered: ({ taskId, retries, attempt }, answer) =>
        void mesh.run("callback_answered", { taskId, retries, attempt, answer }),
    });
  }

  /** Ends `count` tasks of an owner with callbacks to a receiver that behaves so. */
  give(origin: string, behavior: Behavior, count: number, owner = "admin"): string[] {
    this.#behaviors.set(origin, behavior);
    return Array.from({ length: count }, () => {
      const task = submission({ kind: "echo", callback: { url: `${origin}/` } }, { owner });
      const { id } = this.mesh.run("submit_task", task).task;
      this.mesh.run("cancel_task", { id, visibleTo: null });
      return id;
    });
  }

  become(origin: string, behavior: Behavior): void {
    this.#behaviors.set(origin, behavior);
  }

  /** Lets this much time pass. */
  async pass(ms: number): Promise<void> {
    const until = this.mesh.now + ms;
    for (;;) {
      void this.#runner.run();
      await new Promise((resolve) => setImmediate(resolve));
      const tick = Math.max(this.mesh.nextTick() ?? Infinity, this.mesh.now + 1);
      const [event] = this.#events.toSorted((a, b) => a.at - b.at);
      const at = Math.min(tick, event?.at ?? Infinity);
      if (at > until) break;
      this.mesh.now = at;
      if (event === undefined || event.at > at) {
        this.mesh.tick();
        continue;
      }
      this.#events = this.#events.filter((other) => other !== event);
      event.happen();
    }
    this.mesh.now = until;
  }

  to = (origin: string): Sent[] => this.sent.filter((sent) => sent.origin === origin);
  state = (id: string): string | undefined => this.mesh.task(id).callback?.state;

  /** The most attempts that were in progress at once, of those that the filter selects. */
  mostAtOnce(isCounted: (sent: Sent) => boolean): number {
    const changes = this.sent
      .filter(isCounted)
      .flatMap(({ at, endedAt }) => [[at, 1] as const, [endedAt ?? Infinity, -1] as const]);
    let [now, most] = [0, 0];
    for (const [, change] of changes.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]))
      most = Math.max(most, (now += change));
    return most;
  }

  #receive(sender: number, { taskId, origin, timeoutMs }: CallbackRequest): Promise<Answer> {
    const { now } = this.mesh;
    const sent: Sent = { taskId, origin, sender, at: now, endedAt: null, status: null };
    this.sent.push(sent);
    const reaction = this.#behaviors.get(origin)?.(now) ?? null;
    const isHeard = reaction !== null && reaction.after < timeoutMs;
    const answer: Answer = isHeard
      ? reaction.answer
      : { status: null, error: `no answer within ${timeoutMs / 1_000} s`, retryAfter: null };
    return new Promise((resolve) => {
      this.#events.push({
        at: now + (isHeard ? reaction.after : timeoutMs),
        happen: () => {
          sent.endedAt = this.mesh.now;
          sent.status = answer.status;
          resolve(answer);
        },
      });
    });
  }
}
