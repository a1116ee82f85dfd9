import { DurableObject } from "cloudflare:workers";
import type { Millis } from "../src/base/clock.ts";
import type { Json } from "../src/base/json.ts";
import type { DialOrder, EndFault } from "../src/contract/session-orders.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import { platformX25519 } from "../src/crypto/x25519.ts";
import {
  HEARTBEAT,
  HEARTBEAT_ANSWER,
  HANDSHAKE_DEADLINE,
  REQUEST_TIMEOUT_MAX,
  MUSTER_2_SUBPROTOCOL,
  UNPROVED_SOCKETS_MAX,
} from "../src/protocol/constants.ts";
import { CLOSE } from "../src/protocol/errors.ts";
import type { JoinRequest } from "../src/peers/join-request.ts";
import { newUuid } from "../src/protocol/ids.ts";
import type { GoP2pRequest, PayloadOf, TaskOffer } from "../src/protocol/messages.ts";
import { newCall } from "../src/session/calling.ts";
import {
  attemptOf,
  type Note,
  type Question,
  type SessionEffect,
  type SessionEvent,
} from "../src/session/effects.ts";
import { oversized } from "../src/session/frame-size.ts";
import { dueAt } from "../src/session/liveness.ts";
import { takeNoise, newNoiseSession } from "../src/session/noise-handshake.ts";
import { isHandshaking, newSession, type Session } from "../src/session/state.ts";
import { step } from "../src/session/step.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { Calls } from "./calls.ts";
import { requireConfig, type MeshConfig } from "./config.ts";
import { coordinatorForSession } from "./coordinator-port.ts";
import { dialOut } from "./dial-out.ts";
import { DialledSockets } from "./dialled-sockets.ts";
import type { Env } from "./env.ts";
import { PendingDisconnect } from "./pending-disconnect.ts";
import { FrameQueue } from "./frame-queue.ts";
import { HandshakeTimers } from "./handshake-timers.ts";
import { NOWHERE, ORIGIN_HEADERS, originOf } from "./origin-headers.ts";
import { requireVersion, type Called, type Delivery, type PeerSessionRpc } from "./rpc.ts";
import { contextOf } from "./session-context.ts";

/** What the gateway is told when this peer has enough sockets within their handshake. */
const TOO_MANY_UNPROVED = 429;
/** A farewell that did not get through is repeated after this. */
const FAREWELL_REPEAT = 5_000;

/**
 * One peer's session. Between events everything stands in the socket's attachment, so the object may hibernate at any
 * time; each event is one pure step, whose effects are performed here.
 */
export class PeerSession
  extends DurableObject<Env>
  implements Omit<PeerSessionRpc, keyof Rpc.DurableObjectBranded>
{
  readonly #config: MeshConfig;
  readonly #alarm: AlarmClock;
  readonly #farewell: PendingDisconnect;
  readonly #handshakes = new HandshakeTimers((socket) =>
    this.#take(socket, { type: "handshake_timeout" }),
  );
  readonly #calls = new Calls();
  readonly #queues = new WeakMap<WebSocket, FrameQueue>();
  readonly #dialled = new DialledSockets(this);
  /** Sessions whose socket is closed: their attachment is gone, and a step may still be under way. */
  readonly #closed = new WeakMap<WebSocket, Session>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = requireConfig(env, Date.now());
    // Answered by the platform while the object sleeps; when that was is what a look at the peer reads.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(HEARTBEAT, HEARTBEAT_ANSWER));
    this.#alarm = new AlarmClock(ctx.storage);
    this.#farewell = new PendingDisconnect(ctx.storage.kv);
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
    // A handshake's timer is lost with the object's memory; sockets that were within one get a fresh one.
    for (const socket of ctx.getWebSockets()) this.#handshakes.mind(socket, this.#session(socket));
  }

  override async fetch(request: Request): Promise<Response> {
    const peerId = request.headers.get(ORIGIN_HEADERS.peer);
    const unproved = this.#sockets().filter((socket) => isHandshaking(this.#session(socket)));
    if (unproved.length >= UNPROVED_SOCKETS_MAX)
      return Response.json(null, { status: TOO_MANY_UNPROVED });
    const origin = originOf(request.headers, this.#config.identities.current.id);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#keep(server, peerId === null ? newSession(origin) : newNoiseSession(origin, peerId));
    const headers = new Headers();
    if (peerId !== null) headers.set("Sec-WebSocket-Protocol", MUSTER_2_SUBPROTOCOL);
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  async dial(version: number, order: DialOrder): Promise<void> {
    requireVersion(version);
    // Not awaited: the coordinator is not to be held awake by a peer that keeps us waiting.
    this.ctx.waitUntil(this.#dial(order));
  }

  async #dial({ dial, url, publicKey }: DialOrder): Promise<void> {
    for (const earlier of this.#dialled.all())
      await this.#take(earlier, { type: "end", fault: REDIALLED });
    const opened = await dialOut(url, this.#config.coordinator.allowLoopback);
    if (!opened.ok) {
      const failed = { dial, error: opened.error, proved: null };
      await coordinatorForSession(this.env, `dial:${dial.id}`).call("dial_failed", failed);
      return;
    }
    const { socket } = opened.value;
    const meshId = this.#config.identities.current.id;
    this.#keep(socket, newCall({ ...NOWHERE, address: url, meshId, dial }, publicKey));
    this.#dialled.take(opened.value);
    await this.#take(socket, { type: "opened" });
  }

  #sockets(): readonly WebSocket[] {
    return [...this.ctx.getWebSockets(), ...this.#dialled.all()];
  }

  #ofEpoch(epoch: number): WebSocket | undefined {
    return this.#sockets().find((socket) => isOfEpoch(this.#session(socket), epoch));
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const bytes = typeof data === "string" ? data.length : data.byteLength;
    const session = this.#session(socket);
    if (session.state === "closed") return;
    // Refused before it waits: there is no backpressure on a WebSocket here, and what waits is held in memory.
    const tooLarge = oversized(session, bytes);
    if (tooLarge !== null) {
      await this.#step(socket, { type: "end", fault: tooLarge });
      return;
    }
    if (this.#queue(socket).isFullFor(bytes)) {
      const detail = "too much at once; wait for answers";
      await this.#step(socket, { type: "end", fault: { code: "rate_limited", detail } });
      return;
    }
    const frame = typeof data === "string" ? data : new Uint8Array(data);
    return this.#take(socket, { type: "frame", data: frame }, bytes);
  }

  override async webSocketClose(
    socket: WebSocket,
    code: number,
    reason: string,
    wasClean: boolean,
  ): Promise<void> {
    // The runtime does not answer a close of a hibernatable socket, and throws for codes that may not be sent.
    if (wasClean) this.#close(socket, code === 1005 ? CLOSE.normal : code, reason);
    const told = `the connection closed (${code})`;
    return this.#take(socket, { type: "closed", reason: told, silent: !wasClean });
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    return this.#take(socket, { type: "closed", reason: "the connection broke", silent: true });
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    try {
      for (const socket of this.#sockets()) await this.#take(socket, { type: "due" });
      await this.#payFarewell();
    } catch (thrown) {
      console.error("session alarm failed", { error: String(thrown) });
    } finally {
      this.#arm();
    }
  }

  async offer(version: number, epoch: number, offer: TaskOffer): Promise<Delivery> {
    return this.#address(version, epoch, { type: "offer", offer });
  }

  async probe(version: number, epoch: number): Promise<Delivery> {
    return this.#address(version, epoch, { type: "probe" });
  }

  async call(
    version: number,
    epoch: number,
    request: GoP2pRequest,
    payload: unknown,
    timeoutMs: number,
  ): Promise<Called> {
    requireVersion(version);
    const socket = this.#ofEpoch(epoch);
    if (socket === undefined) return { outcome: "no_session", reply: null };
    const id = newUuid(platformRandom);
    const called = this.#calls.wait(id, socket, Math.min(timeoutMs, REQUEST_TIMEOUT_MAX));
    await this.#take(socket, { type: "call", id, request, payload: payload as Json });
    return called;
  }

  async cancel(
    version: number,
    epoch: number,
    taskId: string,
    fence: number,
    reason: string,
  ): Promise<Delivery> {
    return this.#address(version, epoch, { type: "cancel", taskId, fence, reason });
  }

  async report(version: number, epoch: number, shown: PayloadOf<"task_shown">): Promise<Delivery> {
    return this.#address(version, epoch, { type: "shown", messageId: null, shown });
  }

  /**
   * Ends the session at once, whatever its peer still sends. One whose admission is under way has no epoch yet: it is
   * met in the queue, right behind its admission.
   */
  async end(version: number, epoch: number, fault: EndFault): Promise<Delivery> {
    const socket = this.#ofEpoch(epoch);
    if (socket === undefined) return this.#address(version, epoch, { type: "end", fault });
    requireVersion(version);
    await this.#step(socket, { type: "end", fault });
    return "delivered";
  }

  /** Gives the event to the session of this epoch, behind the frames (an admission perhaps) that are under way. */
  async #address(version: number, epoch: number, event: SessionEvent): Promise<Delivery> {
    requireVersion(version);
    for (const socket of this.#sockets()) {
      const delivery = await this.#queue(socket).run(async () => {
        if (!isOfEpoch(this.#session(socket), epoch)) return null;
        const effects = await this.#step(socket, event);
        return effects.some(({ type }) => type === "withheld") ? "silent" : "delivered";
      });
      if (delivery !== null) return delivery;
    }
    return "no_session";
  }

  async #take(socket: WebSocket, event: SessionEvent, bytes = 0): Promise<void> {
    await this.#queue(socket).run(() => this.#step(socket, event), bytes);
  }

  async #step(socket: WebSocket, event: SessionEvent): Promise<readonly SessionEffect[]> {
    const before = this.#session(socket);
    const context = contextOf(before, this.#config, Date.now(), this.beatAt(socket));
    const handshake = before.state === "noise" && event.type === "frame";
    const { session, effects } = handshake
      ? await takeNoise(before, event.data, await platformX25519(), context)
      : step(before, event, context);
    // It may have been ended while WebCrypto was awaited; nothing else takes no turn in the queue.
    if (handshake && this.#session(socket).state === "closed") return [];
    this.#keep(socket, session);
    // Frames leave before anything is awaited, so that they leave in the order of their steps.
    for (const effect of effects)
      if (effect.type === "send" || effect.type === "close") this.#emit(socket, effect);
    for (const effect of effects) await this.#ask(socket, effect);
    this.#arm();
    return effects;
  }

  /** When the platform last answered this socket's beat; null when it never did. */
  beatAt(socket: WebSocket): Millis | null {
    return this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? null;
  }

  #emit(socket: WebSocket, effect: Extract<SessionEffect, { type: "send" | "close" }>): void {
    if (effect.type === "close") return this.#close(socket, effect.code, effect.reason);
    try {
      socket.send(effect.frame);
    } catch {
      // The socket is gone already; its close event, or the next ping, says so.
    }
  }

  async #ask(socket: WebSocket, effect: SessionEffect): Promise<void> {
    if (effect.type === "admit") {
      return this.#admit(socket, effect.request);
    }
    if (effect.type === "answer") {
      this.#calls.finish(effect.callId, { outcome: "answered", reply: effect.reply });
    }
    if (effect.type === "tell") return this.#tell(socket, effect.note, effect.messageId);
    if (effect.type === "ask") return this.#put(socket, effect.question, effect.messageId);
  }

  async #admit(socket: WebSocket, request: JoinRequest): Promise<void> {
    const { peerId } = request;
    const owedBefore = this.#farewell.pending !== null;
    if (!owedBefore) this.#farewell.set(peerId, null);
    this.#alarm.ringBy(Date.now() + HANDSHAKE_DEADLINE, Date.now());
    const session = this.ctx.id.toString();
    const result = await this.#coordinator(peerId).call("admit", { ...request, session });
    if (result.ok) this.#farewell.set(peerId, result.value.epoch);
    await this.#step(socket, { type: "admitted", result });
    const refused = !result.ok && result.error.code !== "unavailable";
    if (refused && !owedBefore) await this.#settled();
  }

  async #tell(socket: WebSocket, note: Note, messageId: string | null): Promise<void> {
    const result = await this.#coordinator(note.input.peerId).call(note.name, note.input);
    if (note.name === "gone") {
      if (result.ok) await this.#settled();
    } else if (note.name === "observe") {
      if (result.ok && "suspect" in result.value)
        await this.#step(socket, { type: "judged", suspect: result.value.suspect });
    } else if (result.ok && "leasedUntil" in result.value) {
      await this.#step(socket, { type: "leased", until: result.value.leasedUntil });
    } else if (!result.ok && messageId !== null) {
      const about = attemptOf(note);
      await this.#step(socket, { type: "refused", messageId, error: result.error, about });
    }
  }

  async #put(socket: WebSocket, { name, input }: Question, messageId: string): Promise<void> {
    const result = await this.#coordinator(input.peerId).call(name, input);
    if (!result.ok) {
      await this.#step(socket, { type: "refused", messageId, error: result.error, about: null });
    } else if ("pointers" in result.value) {
      await this.#step(socket, { type: "sampled", messageId, pointers: result.value.pointers });
    } else await this.#step(socket, { type: "shown", messageId, shown: result.value });
  }

  /** The socket vanished without a word, or the word did not get through: tell the coordinator now. */
  async #payFarewell(): Promise<void> {
    const { pending: owed } = this.#farewell;
    if (owed === null || this.#hasLiveSession()) return;
    const { peerId, epoch } = owed;
    const which = epoch === null ? { session: this.ctx.id.toString() } : { epoch };
    const gone = { peerId, reason: "the connection vanished", silent: true, ...which };
    const result = await this.#coordinator(peerId).call("gone", gone);
    if (result.ok) await this.#settled();
  }

  /** The coordinator knows. What the object still stores is nothing then: let the platform take it back. */
  async #settled(): Promise<void> {
    if (this.#hasLiveSession()) return; // of a newer session, whose end is owed in its turn
    const deleted = this.ctx.storage.deleteAll();
    // The alarm went with it; whoever is let in while this is awaited has to set another.
    this.#alarm.rang();
    await deleted;
  }

  #hasLiveSession(): boolean {
    return this.#sockets().some((socket) => {
      const { state } = this.#session(socket);
      return state === "active" || state === "admitting";
    });
  }

  #arm(): void {
    const now = Date.now();
    const dues = this.#sockets()
      .map((socket) => dueAt(this.#session(socket)))
      .filter((due) => due !== null);
    if (dues.length > 0) return this.#alarm.ringBy(Math.min(...dues), now);
    if (this.#farewell.pending !== null) this.#alarm.ringBy(now + FAREWELL_REPEAT, now);
  }

  #coordinator(peerId: string) {
    return coordinatorForSession(this.env, `peer:${peerId}`);
  }

  #session(socket: WebSocket): Session {
    return this.#closed.get(socket) ?? (socket.deserializeAttachment() as Session);
  }

  #keep(socket: WebSocket, session: Session): void {
    if (session.state === "closed") {
      this.#closed.set(socket, session);
      this.#calls.drop(socket);
    }
    this.#handshakes.mind(socket, session);
    socket.serializeAttachment(session);
  }

  #queue(socket: WebSocket): FrameQueue {
    const queue = this.#queues.get(socket) ?? new FrameQueue();
    this.#queues.set(socket, queue);
    return queue;
  }

  #close(socket: WebSocket, code: number, reason: string): void {
    this.#dialled.closing(socket);
    try {
      socket.close(code, reason);
    } catch {
      // Closed already, or a code that may not be sent: either way there is nobody left to tell.
    }
  }
}

const REDIALLED = { code: "superseded", detail: "the address is dialled anew" } as const;

const isOfEpoch = (session: Session, epoch: number): boolean =>
  session.state === "active" && session.epoch === epoch;
