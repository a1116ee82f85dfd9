import { SECOND, type Millis } from "../src/base/clock.ts";
import { withDeadline } from "../src/base/deadline.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import type { Input, CommandName } from "../src/contract/commands.ts";
import type { Effect } from "../src/coordinator/kernel/effects.ts";
import type { Outboxes } from "../src/coordinator/outbox/outboxes.ts";
import { RPC_TIMEOUT } from "../src/protocol/constants.ts";
import { traceIdIn } from "../src/protocol/trace-context.ts";
import { isEndAwaited, type DialOrder, type SessionRef } from "../src/peers/session-orders.ts";
import { inBackground } from "./background.ts";
import type { CallbackRunner } from "./callback-runner.ts";
import type { SessionPort } from "./session-port.ts";
import type { TaskWaiters } from "./task-waiters.ts";
import { log } from "./worker-log.ts";

/** How long a caller waits for a cell that has to confirm something: its sessions may have to end first, and the caller itself has a deadline. */
const CONFIRM_TIMEOUT: Millis = 1.5 * RPC_TIMEOUT;
/** How long it waits otherwise: a cell that is down makes no command of the operator slow. */
const NOTICE_TIMEOUT: Millis = SECOND;

export interface EffectPorts {
  readonly sessions: SessionPort;
  readonly waiters: TaskWaiters;
  readonly outboxes: Outboxes;
  readonly callbacks: CallbackRunner;
  /** Whether a message still waits for a cell. */
  readonly waitsForCell: (cell: number, seq: number) => boolean;
  /** Runs a command of the mesh itself together with those that have gathered. */
  readonly execute: <K extends CommandName>(name: K, input: Input<K>) => Promise<void>;
}

/** Performs the effects of committed commands, and reports to the coordinator what came of them. */
export class EffectPerformer {
  readonly #ports: EffectPorts;

  constructor(ports: EffectPorts) {
    this.#ports = ports;
  }

  /**
   * Sets effects going. Returns those whose confirmation the caller of the command awaits: the caller is told only once the
   * sessions in question are gone, so that nothing reaches them afterwards.
   */
  perform(effects: readonly Effect[]): readonly Promise<boolean>[] {
    const awaited: Promise<boolean>[] = [];
    const others: Promise<boolean>[] = [];
    for (const effect of effects) {
      const work = this.#perform(effect);
      (isAwaited(effect) ? awaited : others).push(work);
    }
    inBackground(Promise.all(others));
    return awaited;
  }

  /** Has a session ping its peer; throws when its object does not answer. */
  async probe(to: SessionRef): Promise<void> {
    const { sessions, execute } = this.#ports;
    if ((await sessions.deliver(to, { type: "probe" })) !== "no_session") return;
    const { peerId, epoch } = to;
    await execute("gone", { peerId, epoch, reason: "the session is gone", silent: true });
  }

  /** Performs one effect; false when it did not come about. Never throws. */
  async #perform(effect: Effect): Promise<boolean> {
    const { sessions, waiters, outboxes, callbacks, execute } = this.#ports;
    try {
      switch (effect.type) {
        case "offer":
          return await this.#offer(effect);
        case "cancel": {
          const { to, taskId, fence, reason } = effect;
          await sessions.deliver(to, { type: "cancel", taskId, fence, reason });
          return true;
        }
        case "recall": {
          const { to, taskId, fence } = effect;
          await sessions.deliver(to, { type: "recall", taskId, fence });
          return true;
        }
        case "drain":
          await sessions.deliver(effect.to, { type: "drain", order: effect.order });
          return true;
        case "report":
          await sessions.deliver(effect.to, { type: "report", shown: effect.shown });
          return true;
        case "end_session":
          await sessions.end(effect.to, effect.fault);
          await execute("session_ended", { to: effect.to, fault: effect.fault });
          return true;
        case "dial":
          return await this.#dial(effect.order);
        case "task_ended":
        case "task_moved":
          waiters.wake(effect.taskId);
          return true;
        case "log":
          log.writeEntry(effect.entry);
          return true;
        case "await_cell":
          return await this.#awaitCell(effect);
        case "drain_outbox":
          await outboxes.run();
          return true;
        case "drain_callbacks":
          await callbacks.run();
          return true;
        default:
          return effect satisfies never;
      }
    } catch (thrown) {
      const peer = "to" in effect ? effect.to.peerId : null;
      const task = "taskId" in effect ? effect.taskId : null;
      const fault = faultOf(thrown);
      log.write("coordinator.effect_failed", { effect: effect.type, peer, task, ...fault });
      return false;
    }
  }

  /** Sends another cell its messages, and waits until it has taken this one. Whoever need not know whether it has waits for less time. */
  async #awaitCell({
    cell,
    seq,
    isRequired,
  }: Extract<Effect, { type: "await_cell" }>): Promise<boolean> {
    const { outboxes, waitsForCell } = this.#ports;
    let isOver = false;
    const sent = outboxes.send(() => isOver || !waitsForCell(cell, seq));
    await withDeadline(sent, isRequired ? CONFIRM_TIMEOUT : NOTICE_TIMEOUT).catch(() => {
      isOver = true;
    });
    return !isRequired || !waitsForCell(cell, seq);
  }

  async #offer({ to, offer }: Extract<Effect, { type: "offer" }>): Promise<boolean> {
    const { sessions, execute } = this.#ports;
    const claim = { peerId: to.peerId, epoch: to.epoch, taskId: offer.task_id, fence: offer.fence };
    try {
      const delivery = await sessions.deliver(to, { type: "offer", offer });
      if (delivery === "delivered") return true;
      const [reason, session] =
        delivery === "silent"
          ? (["the peer has not been heard of for a minute", "silent"] as const)
          : (["the session is gone", "gone"] as const);
      await execute("offer_failed", { ...claim, reason, session });
    } catch (thrown) {
      const { task_id: task, kind } = offer;
      const trace = traceIdIn(offer.traceparent) ?? task.replaceAll("-", "");
      const { peerId: peer } = to;
      log.write("offer.failed", { peer, task, kind, trace, error: String(thrown) });
      const reason = "the session did not take the offer";
      await execute("offer_failed", { ...claim, reason, session: "unknown" });
    }
    return false;
  }

  async #dial(order: DialOrder): Promise<boolean> {
    const { dial } = order;
    const { sessions, execute } = this.#ports;
    try {
      await sessions.dial(order);
      return true;
    } catch (thrown) {
      log.write("dial.failed", { error: String(thrown) });
      const error = "the object that dials did not answer";
      await execute("dial_failed", { dial, error, proved: null });
      return false;
    }
  }
}

/** Whether the caller of a command is answered only once this has come about. */
const isAwaited = (effect: Effect): boolean =>
  effect.type === "await_cell" || (effect.type === "end_session" && isEndAwaited(effect.fault));
