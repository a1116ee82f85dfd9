import { platformX25519 } from "../src/crypto/x25519.ts";
import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";
import type { SessionContext } from "../src/session/context.ts";
import type { SessionEffect, SessionEvent } from "../src/session/effects.ts";
import { receiveNoise } from "../src/session/noise-handshake.ts";
import type { Session } from "../src/session/state.ts";
import { step } from "../src/session/step.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { EventQueue } from "./event-queue.ts";
import { HandshakeTimers } from "./handshake-timers.ts";
import type { PendingDisconnect } from "./pending-disconnect.ts";
import type { SessionSockets } from "./session-sockets.ts";

export interface RunnerPorts {
  readonly sockets: SessionSockets;
  readonly calls: PendingCalls;
  readonly disconnect: PendingDisconnect;
  readonly contextOf: (socket: WebSocket, session: Session) => SessionContext;
  /** Sends a command to the coordinator; never throws. */
  readonly send: (command: SessionCommand) => Promise<SessionAnswer>;
  /** A session has changed: the alarm may have to ring earlier. */
  readonly scheduleAlarm: () => void;
  readonly waitUntil: (work: Promise<void>) => void;
}

type CommandEffect = Extract<SessionEffect, { type: "command" }>;

/**
 * Runs the events of one object's sockets. Each event is one pure step; the new session is saved, then the effects are
 * performed. Frames leave in the same turn as the step, so that they leave in the order of the steps.
 */
export class SessionRunner {
  readonly #ports: RunnerPorts;
  readonly #queues = new WeakMap<WebSocket, EventQueue>();
  readonly #timers: HandshakeTimers;
  /** Admissions that the coordinator has not answered yet. */
  readonly #admissions = new Set<Promise<unknown>>();

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
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
  async runInOrder(socket: WebSocket, event: SessionEvent, bytes = 0): Promise<void> {
    await this.#queueOf(socket).run(async () => {
      const session = this.#ports.sockets.sessionOf(socket);
      const effects =
        session.state === "noise" && event.type === "frame"
          ? await this.#stepNoise(socket, session, event.data)
          : this.#step(socket, event);
      await this.#sendCommands(socket, effects);
    }, bytes);
  }

  /**
   * Runs an event at once. Its commands are sent in their turn, and not waited for: the events of an RPC run so, because the
   * coordinator that waits for the RPC's answer must not wait for a command to itself.
   */
  runNow(socket: WebSocket, event: SessionEvent): readonly SessionEffect[] {
    const effects = this.#step(socket, event);
    const sent = this.#queueOf(socket).run(() => this.#sendCommands(socket, effects));
    this.#ports.waitUntil(sent);
    return effects;
  }

  /**
   * Resolves once no admission waits for its answer. An epoch that no socket has yet may belong to one of these: the
   * coordinator has given it out, and its answer is on the way.
   */
  async admissionsAnswered(): Promise<void> {
    await Promise.allSettled(this.#admissions);
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
    const { sockets, calls, scheduleAlarm } = this.#ports;
    this.save(socket, session);
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          sockets.send(socket, effect.frame);
          break;
        case "close":
          sockets.close(socket, effect.code, effect.reason);
          break;
        case "call_answered":
          calls.finish(effect.callId, { outcome: "answered", reply: effect.reply });
          break;
        case "offer_withheld": // the RPC's answer says so
        case "command": // sent in its turn
          break;
        default:
          effect satisfies never;
      }
    }
    scheduleAlarm();
  }

  async #sendCommands(socket: WebSocket, effects: readonly SessionEffect[]): Promise<void> {
    for (const effect of effects)
      if (effect.type === "command") await this.#sendCommand(socket, effect);
    this.#ports.disconnect.scheduleRepeat(Date.now());
  }

  async #sendCommand(socket: WebSocket, effect: CommandEffect): Promise<void> {
    const stepped = this.#stepAnswer(socket, effect);
    if (effect.command.name === "admit") this.#trackAdmission(stepped);
    await this.#sendCommands(socket, await stepped);
  }

  /** Sends a command and steps its answer; the effects of that step remain to be performed. */
  async #stepAnswer(
    socket: WebSocket,
    { command, messageId }: CommandEffect,
  ): Promise<readonly SessionEffect[]> {
    const { disconnect, send } = this.#ports;
    const isNew = disconnect.beforeCommand(command, Date.now());
    const answer = await send(command);
    const effects = this.#step(socket, { type: "answered", answer, messageId });
    await disconnect.afterAnswer(answer, isNew);
    return effects;
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
