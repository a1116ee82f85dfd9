import { DurableObject } from "cloudflare:workers";
import type { ExactJson } from "../src/base/json-text/json-text.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import type { SessionAnswer, SessionCommand } from "../src/contract/commands.ts";
import type { DialOrder, EndFault } from "../src/peers/session-orders.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import {
  HEARTBEAT_REQUEST,
  HEARTBEAT_RESPONSE,
  MUSTER_2_SUBPROTOCOL,
  REQUEST_TIMEOUT_MAX,
  UNAUTHENTICATED_SOCKETS_MAX,
} from "../src/protocol/constants.ts";
import { CLOSE } from "../src/protocol/errors.ts";
import { newUuid } from "../src/protocol/ids.ts";
import type { GoP2pRequest } from "../src/protocol/messages.ts";
import { newDialedSession } from "../src/session/outbound-handshake.ts";
import type { SessionEvent } from "../src/session/effects.ts";
import { frameSizeFault } from "../src/session/frame-size.ts";
import { dueAt } from "../src/session/liveness.ts";
import { newNoiseSession } from "../src/session/noise-handshake.ts";
import { newGoP2pSession } from "../src/session/state.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { inBackground } from "./background.ts";
import { PendingCalls } from "./pending-calls.ts";
import { requireConfig, type MeshConfig } from "./config.ts";
import { sendSessionCommands } from "./coordinator-port.ts";
import { sendCallback, type CallbackPost } from "./callback-sender.ts";
import { openSocket } from "./dial-out.ts";
import type { Answer } from "../src/webhooks/index.ts";
import { outboundFetch } from "./outbound-fetch.ts";
import { DialedSockets } from "./dialed-sockets.ts";
import type { Env } from "./env.ts";
import { UNKNOWN_PLACE, ORIGIN_HEADERS, readOrigin } from "./origin-headers.ts";
import { withStoredResult } from "./large-replies.ts";
import { countHandshake } from "./handshake-refusals.ts";
import { answersElsewhere, OlderSession } from "./older-session.ts";
import { PendingDisconnect } from "./pending-disconnect.ts";
import {
  requireVersion,
  type RequestOutcome,
  type EventOutcome,
  type PeerSessionRpc,
  type RpcDelivery,
} from "./rpc.ts";
import { stepContext } from "./session-context.ts";
import { SessionRunner } from "./session-runner.ts";
import { SessionSockets } from "./session-sockets.ts";
import { log } from "./worker-log.ts";

/** The HTTP status for the gateway when this object has as many sockets in their handshake as it may have. */
const TOO_MANY_UNPROVED = 429;

const REDIALED = { code: "superseded", detail: "the address is being dialed again" } as const;

/** One peer's session: turns socket events, alarms and RPC calls into events of the session. */
export class PeerSession
  extends DurableObject<Env>
  implements Omit<PeerSessionRpc, keyof Rpc.DurableObjectBranded>
{
  readonly #config: MeshConfig;
  readonly #alarm: AlarmClock;
  readonly #dialed = new DialedSockets(this);
  readonly #calls = new PendingCalls();
  readonly #sockets: SessionSockets;
  readonly #disconnect: PendingDisconnect;
  readonly #runner: SessionRunner;
  readonly #older: OlderSession;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = requireConfig(env, Date.now());
    // The platform answers heartbeats while the object hibernates, and records when: liveness checks read that time.
    ctx.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair(HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE),
    );
    this.#alarm = new AlarmClock(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
    this.#sockets = new SessionSockets(ctx, this.#dialed);
    this.#older = new OlderSession(
      this.#sockets,
      (socket) => void this.#runner.runNow(socket, { type: "probe" }),
      (peerId) => answersElsewhere(env, peerId),
    );
    this.#disconnect = new PendingDisconnect(ctx, this.#alarm, this.#sockets);
    this.#runner = new SessionRunner({
      sockets: this.#sockets,
      calls: this.#calls,
      disconnect: this.#disconnect,
      contextOf: (socket, session) => {
        const heartbeatAt = this.#sockets.heartbeatAt(socket);
        return stepContext(session, this.#config, Date.now(), heartbeatAt, ctx.id.toString());
      },
      send: (commands) => this.#send(commands),
      handshakeRefused: (reason) => countHandshake(env, reason),
      scheduleAlarm: (session) => this.#alarm.ringBy(dueAt(session), Date.now()),
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const peerId = request.headers.get(ORIGIN_HEADERS.peer);
    if (this.#sockets.countHandshaking() >= UNAUTHENTICATED_SOCKETS_MAX)
      return Response.json(null, { status: TOO_MANY_UNPROVED });
    const origin = readOrigin(request.headers, this.#config.identities.current.id);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const session = peerId === null ? newGoP2pSession(origin) : newNoiseSession(origin, peerId);
    this.#runner.save(server, session);
    const headers = new Headers();
    if (peerId !== null) headers.set("Sec-WebSocket-Protocol", MUSTER_2_SUBPROTOCOL);
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const bytes = typeof data === "string" ? data.length : data.byteLength;
    const session = this.#sockets.sessionOf(socket);
    if (session.state === "closed") return;
    this.#older.heard(socket);
    // Refused before it waits in the queue: a WebSocket has no backpressure here, and the queue is held in memory.
    const tooLarge = frameSizeFault(session, bytes);
    if (tooLarge !== null) {
      this.#runner.runNow(socket, { type: "end", fault: tooLarge });
      return;
    }
    if (this.#runner.isFullFor(socket, bytes)) {
      const detail = "too many frames at once; wait for replies";
      this.#runner.runNow(socket, { type: "end", fault: { code: "rate_limited", detail } });
      return;
    }
    const frame = typeof data === "string" ? data : new Uint8Array(data);
    inBackground(this.#runner.runInOrder(socket, { type: "frame", data: frame }, bytes));
  }

  override async webSocketClose(
    socket: WebSocket,
    code: number,
    reason: string,
    wasClean: boolean,
  ): Promise<void> {
    // The runtime does not answer a close of a hibernatable socket, and throws for codes that may not be sent.
    if (wasClean) this.#sockets.close(socket, code === 1005 ? CLOSE.normal : code, reason);
    const closed = `the connection closed (${code})`;
    await this.#runner.runInOrder(socket, { type: "closed", reason: closed, silent: !wasClean });
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    const reason = "the connection broke";
    await this.#runner.runInOrder(socket, { type: "closed", reason, silent: true });
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    try {
      for (const socket of this.#sockets.all())
        await this.#runner.runInOrder(socket, { type: "due" });
      await this.#repeatDisconnect();
    } catch (thrown) {
      log.write("session.timer_failed", faultOf(thrown));
    } finally {
      this.#alarm.ringBy(this.#sockets.nextDue(), Date.now());
      this.#disconnect.scheduleRepeat(Date.now());
    }
  }

  async dial(version: number, order: DialOrder): Promise<void> {
    requireVersion(version);
    // Not awaited: a slow peer must not keep the coordinator waiting.
    inBackground(this.#dial(order));
  }

  async sendCallback(version: number, post: CallbackPost): Promise<Answer> {
    requireVersion(version);
    const { outboundProxy, coordinator } = this.#config;
    return sendCallback(post, outboundFetch(outboundProxy, coordinator.allowLoopback), () =>
      Date.now(),
    );
  }

  async deliver(
    version: number,
    deliveries: readonly RpcDelivery[],
  ): Promise<readonly EventOutcome[]> {
    const outcomes: EventOutcome[] = [];
    for (const { epoch, event } of deliveries)
      outcomes.push(await this.#deliver(version, epoch, event));
    return outcomes;
  }

  async end(version: number, epoch: number, fault: EndFault): Promise<EventOutcome> {
    return this.#deliver(version, epoch, { type: "end", fault });
  }

  async call(
    version: number,
    epoch: number,
    request: GoP2pRequest,
    payload: ExactJson,
    timeoutMs: number,
  ): Promise<RequestOutcome> {
    requireVersion(version);
    const socket = this.#sockets.findActive(epoch);
    if (socket === undefined) return { outcome: "no_session", reply: null };
    const id = newUuid(platformRandom);
    const called = this.#calls.wait(id, socket, Math.min(timeoutMs, REQUEST_TIMEOUT_MAX));
    this.#runner.runNow(socket, { type: "call", id, request, payload });
    return called;
  }

  async answers(version: number, epoch: number): Promise<boolean> {
    requireVersion(version);
    const socket = this.#sockets.findActive(epoch);
    return socket !== undefined && this.#older.isHeard(socket);
  }

  /** Runs an event of the coordinator's at once, in the session of this epoch; never waits for a command to the coordinator. */
  async #deliver(version: number, epoch: number, event: SessionEvent): Promise<EventOutcome> {
    requireVersion(version);
    let socket = this.#sockets.findActive(epoch);
    if (socket === undefined) {
      await this.#runner.admissionsAnswered();
      socket = this.#sockets.findActive(epoch);
    }
    if (socket === undefined) return "no_session";
    const effects = this.#runner.runNow(socket, event);
    return effects.some(({ type }) => type === "offer_withheld") ? "silent" : "delivered";
  }

  async #dial({ dial, url, publicKey }: DialOrder): Promise<void> {
    for (const earlier of this.#dialed.all())
      await this.#runner.runInOrder(earlier, { type: "end", fault: REDIALED });
    const { outboundProxy, coordinator } = this.#config;
    const { allowLoopback, outboundAllow: allow } = coordinator;
    const fetch = outboundFetch(outboundProxy, allowLoopback);
    const opened = await openSocket(url, { allowLoopback, allow }, fetch);
    if (!opened.ok) {
      const input = { dial, error: opened.error, proved: null };
      await sendSessionCommands(this.env, [{ name: "dial_failed", input }]);
      return;
    }
    const { socket } = opened.value;
    const meshId = this.#config.identities.current.id;
    this.#runner.save(
      socket,
      newDialedSession({ ...UNKNOWN_PLACE, address: url, meshId, dial }, publicKey),
    );
    this.#dialed.adopt(opened.value);
    await this.#runner.runInOrder(socket, { type: "opened" });
  }

  async #send(commands: readonly SessionCommand[]): Promise<readonly SessionAnswer[]> {
    const { env } = this;
    const sent = await Promise.all(commands.map((command) => withStoredResult(env, command)));
    return this.#older.settle(await sendSessionCommands(env, sent), async (refused) => {
      const input = { ...refused.input, olderSilent: true };
      const [answer] = await sendSessionCommands(env, [{ name: "admit", input }]);
      return answer ?? refused;
    });
  }

  /** The connection vanished without an event, or the coordinator did not confirm `gone`: sends it again. */
  async #repeatDisconnect(): Promise<void> {
    const gone = this.#disconnect.overdue();
    if (gone === null) return;
    for (const answer of await sendSessionCommands(this.env, [gone]))
      await this.#disconnect.afterAnswer(answer, false);
  }
}
