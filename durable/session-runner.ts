import { platformX25519 } from "../src/crypto/x25519.ts";
import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";
import type { ErrorCode } from "../src/protocol/errors.ts";
import type { SessionContext } from "../src/session/context.ts";
import type { SessionEffect, SessionEvent } from "../src/session/effects.ts";
import { receiveNoise } from "../src/session/noise-handshake.ts";
import { isHandshaking, type Session } from "../src/session/state.ts";
import { step } from "../src/session/step.ts";
import { inBackground } from "./background.ts";
import { BatchSender } from "./batch-sender.ts";
import { sendMerged } from "./merge-commands.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { EventQueue } from "./event-queue.ts";
import { HandshakeTimers } from "./handshake-timers.ts";
import type { PendingDisconnect } from "./pending-disconnect.ts";
import { logSessionChange } from "./session-log.ts";
import type { SessionSockets } from "./session-sockets.ts";

export interface RunnerPorts {
  readonly sockets: SessionSockets;
  readonly calls: PendingCalls;
  readonly disconnect: PendingDisconnect;
  readonly contextOf: (socket: WebSocket, session: Session) => SessionContext;
  /** Sends commands to the coordinator; never throws. */
  readonly send: (commands: readonly SessionCommand[]) => Promise<readonly SessionAnswer[]>;
  /** A handshake has ended without a session, before the coordinator was asked. */
  readonly handshakeRefused: (reason: ErrorCode) => void;
  /** A session has changed: the alarm may have to ring earlier. */
  readonly scheduleAlarm: (session: Session) => void;
}

type CommandEffect = Extract<SessionEffect, { type: "command" }>;
type AwaitAnswersEffect = Extract<SessionEffect, { type: "await_answers" }>;

/** Commands in one call. */
const COMMANDS_MAX = 256;

/**
 * Runs the events of one object's sockets. Each event is one pure step; the new session is saved, then the effects are
 * performed. Frames leave in the same turn as the step, so that they leave in the order of the steps. A step does not wait
 * for the commands of earlier steps: one call to the coordinator is under way at most, and what gathers meanwhile goes with
 * the next one.
 */
export class SessionRunner {
  readonly #ports: RunnerPorts;
  readonly #queues = new WeakMap<WebSocket, EventQueue>();
  readonly #commands: BatchSender<SessionCommand, SessionAnswer | null>;
  readonly #timers: HandshakeTimers;
  /** The sockets whose handshake waits for WebCrypto. */
  readonly #inNoise = new WeakSet<WebSocket>();
  /** Admissions that the coordinator has not answered yet. */
  readonly #admissions = new Set<Promise<unknown>>();

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
    this.#commands = new BatchSender(
      // An offer that is not accepted in time is lost, so acceptances go first.
      { max: COMMANDS_MAX, isUrgent: ({ name }) => name === "accept_task" },
      (commands) => sendMerged(commands, ports.send),
    );
    this.#timers = new HandshakeTimers((socket) =>
      this.runInOrder(socket, { type: "handshake_timeout" }),
    );
    // Timers are lost with the object's memory: sockets that are in their handshake get new ones.
    for (const socket of ports.sockets.all())
      this.#timers.update(socket, ports.sockets.sessionOf(socket));
  }

  /** Saves the session of a socket: a new one, or the result of a step. */
  save(socket: WebSocket, session: Session): void {
    this.#timers.update(socket, session);
    this.#ports.sockets.save(socket, session);
    if (session.state === "closed") this.#ports.calls.dropAll(socket);
  }

  isFullFor(socket: WebSocket, bytes: number): boolean {
    return this.#queueOf(socket).isFullFor(bytes);
  }

  /** Runs an event after all earlier events of its socket; returns once the coordinator has answered its commands. */
  runInOrder(socket: WebSocket, event: SessionEvent, bytes = 0): Promise<void> {
    const done = this.#queueOf(socket).add(event, bytes);
    this.#stepWaiting(socket);
    return done;
  }

  /** Runs an event at once, before those that wait. Its commands are not waited for. */
  runNow(socket: WebSocket, event: SessionEvent): readonly SessionEffect[] {
    const effects = this.#step(socket, event);
    inBackground(this.#sendCommands(socket, effects));
    return effects;
  }

  /**
   * Resolves once no admission waits for its answer. An epoch that no socket has yet may belong to one of these: the
   * coordinator has given it out, and its answer is on the way.
   */
  async admissionsAnswered(): Promise<void> {
    await Promise.allSettled(this.#admissions);
  }

  /** Steps the events that wait, as far as they may be stepped now. */
  #stepWaiting(socket: WebSocket): void {
    const queue = this.#queueOf(socket);
    while (!this.#mustWait(socket, queue)) {
      const next = queue.take();
      if (next === undefined) return;
      void queue
        .settle(next, this.#stepQueued(socket, next.event))
        .then(() => this.#stepWaiting(socket));
    }
  }

  /** Frames wait for the answer to the admission: their meaning depends on it. */
  #mustWait(socket: WebSocket, queue: EventQueue): boolean {
    const { state } = this.#ports.sockets.sessionOf(socket);
    if (this.#inNoise.has(socket) || state === "admitting") return true;
    return state !== "closed" && queue.isAwaitingAnswers;
  }

  async #stepQueued(socket: WebSocket, event: SessionEvent): Promise<void> {
    const session = this.#ports.sockets.sessionOf(socket);
    if (session.state !== "noise" || event.type !== "frame")
      return this.#sendCommands(socket, this.#step(socket, event));
    this.#inNoise.add(socket);
    const effects = await this.#stepNoise(socket, session, event.data).finally(() =>
      this.#inNoise.delete(socket),
    );
    const sent = this.#sendCommands(socket, effects);
    this.#stepWaiting(socket);
    return sent;
  }

  #step(socket: WebSocket, event: SessionEvent): readonly SessionEffect[] {
    const session = this.#ports.sockets.sessionOf(socket);
    const stepped = step(session, event, this.#ports.contextOf(socket, session));
    this.#apply(socket, stepped.session, stepped.effects);
    return stepped.effects;
  }

  async #stepNoise(
    socket: WebSocket,
    session: Extract<Session, { state: "noise" }>,
    frame: Extract<SessionEvent, { type: "frame" }>["data"],
  ): Promise<readonly SessionEffect[]> {
    const context = this.#ports.contextOf(socket, session);
    const stepped = await receiveNoise(session, frame, await platformX25519(), context);
    // The session may have been ended while WebCrypto was awaited.
    if (this.#ports.sockets.sessionOf(socket).state === "closed") return [];
    this.#apply(socket, stepped.session, stepped.effects);
    return stepped.effects;
  }

  /** Saves the session, then performs all effects but the commands: an advanced counter must be stored before its frame leaves. */
  #apply(socket: WebSocket, session: Session, effects: readonly SessionEffect[]): void {
    const { sockets, calls, scheduleAlarm, handshakeRefused } = this.#ports;
    const before = sockets.sessionOf(socket);
    const changed = before !== session;
    if (changed) this.save(socket, session);
    logSessionChange(before, session, effects);
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          sockets.send(socket, effect.frame);
          break;
        case "close":
          sockets.close(socket, effect.code, effect.reason);
          if (effect.fault !== undefined && isHandshaking(before)) handshakeRefused(effect.fault);
          break;
        case "call_answered":
          calls.finish(effect.callId, { outcome: "answered", reply: effect.reply });
          break;
        case "call_too_large":
          calls.finish(effect.callId, { outcome: "too_large", reply: null });
          break;
        case "offer_withheld": // the RPC's answer says so
        case "command": // sent in its turn
        case "await_answers": // likewise
          break;
        default:
          effect satisfies never;
      }
    }
    if (changed) scheduleAlarm(session);
  }

  /** Sends the commands of a step; settles once they, and those that their answers caused, are answered. */
  async #sendCommands(socket: WebSocket, effects: readonly SessionEffect[]): Promise<void> {
    const sent = effects
      .filter((effect) => effect.type === "command")
      .map((effect) => this.#sendCommand(socket, effect));
    if (sent.length > 0) await Promise.all(sent);
    for (const effect of effects)
      if (effect.type === "await_answers") await this.#answerConfirmation(socket, effect);
    const { sockets, disconnect } = this.#ports;
    if (sockets.sessionOf(socket).state === "closed") disconnect.scheduleRepeat(Date.now());
  }

  async #answerConfirmation(
    socket: WebSocket,
    { pingId, sentAt }: AwaitAnswersEffect,
  ): Promise<void> {
    await Promise.allSettled(this.#queueOf(socket).commands);
    this.#step(socket, { type: "all_answered", pingId, sentAt });
  }

  #sendCommand(socket: WebSocket, effect: CommandEffect): Promise<void> {
    return this.#queueOf(socket).track(this.#performCommand(socket, effect));
  }

  async #performCommand(socket: WebSocket, { command, messageId }: CommandEffect): Promise<void> {
    const { disconnect } = this.#ports;
    const isNew = disconnect.beforeCommand(command, Date.now());
    const sent = this.#commands.send(command);
    const stepped = sent.then((answer) =>
      answer === null ? [] : this.#step(socket, { type: "answered", answer, messageId }),
    );
    if (command.name === "admit") this.#trackAdmission(stepped);
    const effects = await stepped;
    const answer = await sent;
    if (answer !== null) await disconnect.afterAnswer(answer, isNew);
    await this.#sendCommands(socket, effects);
  }

  #trackAdmission(admission: Promise<unknown>): void {
    this.#admissions.add(admission);
    void admission.finally(() => this.#admissions.delete(admission)).catch(() => {}); // reported to its frame
  }

  #queueOf(socket: WebSocket): EventQueue {
    const queue = this.#queues.get(socket) ?? new EventQueue();
    this.#queues.set(socket, queue);
    return queue;
  }
}
