import { DurableObject } from "cloudflare:workers";
import type { Millis } from "../src/base/clock.ts";
import { err, type Result } from "../src/base/result.ts";
import type { CommandName, Input } from "../src/contract/commands.ts";
import { type Effect } from "../src/coordinator/kernel/effects.ts";
import { isEndAwaited, type DialOrder, type SessionRef } from "../src/peers/session-orders.ts";
import { refuseRpcCaller } from "../src/contract/rpc-caller.ts";
import { execute, type Executed } from "../src/coordinator/kernel/execute.ts";
import { nextTick } from "../src/coordinator/kernel/tick.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { openRegistry, type Registry } from "../src/registry/registry.ts";
import { isEnded } from "../src/tasks/task.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { CallbackRunner } from "./callback-runner.ts";
import { requireConfig, type MeshConfig } from "./config.ts";
import { durableSql } from "./durable-sql.ts";
import type { Env } from "./env.ts";
import { kvStore } from "./kv-store.ts";
import { MeasurementWriter } from "./measurement-writer.ts";
import {
  COPY_DELIVERIES,
  OutboxRunner,
  OWN_DELIVERIES,
  type OutboxPorts,
} from "../src/coordinator/outbox/runner.ts";
import type { CoordinatorRpc } from "./rpc.ts";
import { SessionPort } from "./session-port.ts";
import { upstashStore } from "./upstash-store.ts";
import { TaskWaiters } from "./task-waiters.ts";

/**
 * The coordinator's object: wakes, hands each command to the core, and performs what the core decided. It decides
 * nothing itself. Its truth is SQLite; memory holds who is waiting for a task just now, and what follows from the rows.
 */
export class Coordinator
  extends DurableObject<Env>
  implements Omit<CoordinatorRpc, keyof Rpc.DurableObjectBranded>
{
  readonly #config: MeshConfig;
  readonly #registry: Registry;
  readonly #alarm: AlarmClock;
  readonly #sessions: SessionPort;
  readonly #outbox: OutboxRunner;
  readonly #copies: OutboxRunner;
  readonly #callbacks: CallbackRunner;
  readonly #measurements: MeasurementWriter;
  readonly #waiters = new TaskWaiters();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = requireConfig(env, Date.now());
    this.#registry = openRegistry(durableSql(ctx.storage), Math.floor(Math.random() * 2 ** 32));
    this.#measurements = new MeasurementWriter(this.#registry.measurements);
    this.#alarm = new AlarmClock(ctx.storage);
    this.#sessions = new SessionPort(env.PEER_SESSION);
    const { replicas } = this.#config;
    const ports: OutboxPorts = {
      registry: this.#registry,
      store: kvStore(env.BLOBS, () => Date.now()),
      replicas: replicas === null ? null : upstashStore(replicas),
      randomBytes: platformRandom,
      now: () => Date.now(),
      endSession: async (to, fault) => void (await this.#sessions.end(to, fault)),
      probe: (to) => this.#probe(to),
      execute: (name, input) => this.#run(name, input).result,
      onFailure: (kind, error) =>
        console.error("outbox entry failed; it is retried", { kind, error: String(error) }),
    };
    this.#outbox = new OutboxRunner(ports, OWN_DELIVERIES);
    this.#copies = new OutboxRunner(ports, COPY_DELIVERIES);
    this.#callbacks = new CallbackRunner({
      claim: (busy) => {
        const { result } = this.#run("claim_callback", { busy });
        return result.ok ? result.value.request : null;
      },
      answered: ({ taskId, attempt }, answer) =>
        void this.#run("callback_answered", { taskId, attempt, answer }),
    });
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  async execute(
    version: number,
    actor: string,
    name: CommandName,
    input: unknown,
  ): Promise<Result<unknown, MusterError>> {
    if (version !== RPC_VERSION) return err(unspoken(version));
    const refusal = refuseRpcCaller(actor, name);
    if (refusal !== null) return err(refusal);
    const { result, ends } = this.#run(name, input as Input<CommandName>, actor);
    if (ends.length === 0) return result;
    // The caller is told only once the sessions in question are gone: nothing reaches them after this returns.
    const confirmed = await Promise.all(ends);
    if (confirmed.every(Boolean)) return result;
    return err({
      code: "revoke_unconfirmed",
      detail:
        "the registry has it and no new session is let in, but a live session did not confirm its end; it is being repeated",
      retryAfter: 10,
    });
  }

  async awaitTaskEnd(version: number, taskId: string, ms: number): Promise<void> {
    if (version !== RPC_VERSION) throw new Error(unspoken(version).detail);
    const task = this.#registry.tasks.get(taskId);
    if (task === null || isEnded(task.state)) return;
    await this.#waiters.wait(taskId, ms);
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    try {
      this.#run("tick", {});
      this.ctx.waitUntil(this.#copies.run());
      await this.#outbox.run();
    } catch (thrown) {
      console.error("tick failed", { error: String(thrown) });
    } finally {
      this.#alarm.ringBy(this.#nextTick(Date.now()), Date.now());
    }
  }

  /** Runs a command and sets its effects going. `ends` are those whose confirmation the caller awaits. */
  #run<K extends CommandName>(
    name: K,
    input: Input<K>,
    actor = "mesh",
  ): { result: Executed<K>["result"]; ends: Promise<boolean>[] } {
    const now = Date.now();
    const { result, effects } = execute(
      {
        registry: this.#registry,
        config: this.#config.coordinator,
        actor,
        now,
        random: Math.random,
        randomBytes: platformRandom,
      },
      name,
      input,
    );
    this.#measurements.scheduleWrite();
    this.#alarm.ringBy(this.#nextTick(now), now);
    const ends: Promise<boolean>[] = [];
    for (const effect of effects) {
      const work = this.#perform(effect);
      if (effect.type === "end_session" && isEndAwaited(effect.fault)) ends.push(work);
      else this.ctx.waitUntil(work);
    }
    return { result, ends };
  }

  #nextTick(now: Millis): Millis | null {
    return nextTick({ registry: this.#registry, config: this.#config.coordinator, now });
  }

  /** Performs one effect; false when it did not come about. Never throws. */
  async #perform(effect: Effect): Promise<boolean> {
    try {
      switch (effect.type) {
        case "offer":
          return await this.#offer(effect);
        case "cancel": {
          const { to, taskId, fence, reason } = effect;
          await this.#sessions.cancel(to, taskId, fence, reason);
          return true;
        }
        case "report": {
          const { to, shown } = effect;
          await this.#sessions.report(to, shown);
          return true;
        }
        case "end_session":
          await this.#sessions.end(effect.to, effect.fault);
          this.#run("session_ended", { to: effect.to, fault: effect.fault });
          return true;
        case "dial":
          return await this.#dial(effect.order);
        case "task_ended":
          this.#waiters.wake(effect.taskId);
          return true;
        case "drain_outbox":
          await Promise.all([this.#outbox.run(), this.#copies.run()]);
          return true;
        case "drain_callbacks":
          await this.#callbacks.run();
          return true;
        default:
          return effect satisfies never;
      }
    } catch (thrown) {
      console.error("effect failed", { type: effect.type, error: String(thrown) });
      return false;
    }
  }

  async #offer({ to, offer }: Extract<Effect, { type: "offer" }>): Promise<boolean> {
    const claim = { peerId: to.peerId, epoch: to.epoch, taskId: offer.task_id, fence: offer.fence };
    try {
      const delivery = await this.#sessions.offer(to, offer);
      if (delivery === "delivered") return true;
      const [reason, session] =
        delivery === "silent"
          ? (["the peer has not been heard of for a minute", "silent"] as const)
          : (["the session is gone", "gone"] as const);
      this.#run("offer_failed", { ...claim, reason, session });
    } catch (thrown) {
      console.error("offer failed", { error: String(thrown) });
      this.#run("offer_failed", {
        ...claim,
        reason: "the session did not take the offer",
        session: "unknown",
      });
    }
    return false;
  }

  async #probe(to: SessionRef): Promise<void> {
    const asked = await this.#sessions.probe(to);
    if (asked !== "no_session") return;
    const { peerId, epoch } = to;
    this.#run("gone", { peerId, epoch, reason: "the session is gone", silent: true });
  }

  async #dial(order: DialOrder): Promise<boolean> {
    const { dial } = order;
    try {
      await this.#sessions.dial(order);
      return true;
    } catch (thrown) {
      console.error("dial failed", { error: String(thrown) });
      const error = "the object that dials did not answer";
      this.#run("dial_failed", { dial, error, proved: null });
      return false;
    }
  }
}

const unspoken = (version: number): MusterError => ({
  code: "unavailable",
  detail: `this call has version ${version}, the coordinator speaks ${RPC_VERSION}: a deploy is under way`,
  retryAfter: 5,
});
