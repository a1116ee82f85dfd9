import type { Bytes } from "../../src/base/bytes.ts";
import type { PeerEvent } from "../../src/client/peer/peer-events.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { connectPeer } from "../../src/client/peer/connect-peer.ts";
import type { Peer } from "../../src/client/peer/peer-handle.ts";
import type { PeerOptions } from "../../src/client/peer/peer-options.ts";
import type { SocketClosed, SocketLike } from "../../src/client/platform.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { Route } from "../../src/protocol/route.ts";
import { portableX25519 } from "../../src/crypto/x25519.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { makeMeshProof } from "../../src/crypto/key-proofs.ts";
import { toProblem } from "../../src/protocol/errors.ts";
import type { JoinRequest } from "../../src/peers/join-request.ts";
import type { SessionCommand } from "../../src/contract/commands.ts";
import { ok } from "../../src/base/result.ts";
import type { SessionEffect, SessionEvent } from "../../src/session/effects.ts";
import { newNoiseSession, receiveNoise } from "../../src/session/noise-handshake.ts";
import type { Session } from "../../src/session/state.ts";
import { sampleRtt } from "../../src/scoring/rtt.ts";
import { step } from "../../src/session/step.ts";
import { checkConnect } from "../../workers/connect-request.ts";

type Listener = (event: never) => void;
const BASE = "http://mesh.test";
const NOWHERE = { address: "", place: null, network: "", colo: "", tcpRttMs: null };

/** The client's end of a socket; the other end is the mesh's session code in the same process. */
class LoopSocket implements SocketLike {
  binaryType = "blob";
  readyState = 0;
  readonly #listeners = new Map<string, Listener[]>();
  onFrame: (frame: Bytes) => void = () => {};
  onText: (text: string) => void = () => {};

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Bytes): void {
    if (typeof data === "string") this.onText(data);
    else this.onFrame(data.slice());
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit("close", { code, reason } satisfies SocketClosed);
  }

  emit(type: "open" | "message" | "close", event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

/** A mesh in this process: the gateway's check and the session's steps; the test answers for the coordinator. */
export class NoiseMesh {
  keys: KeyPair = generateIdentity();
  next: KeyPair | null = null;
  /** The keys that the server really holds; those of an impostor differ from `keys`. */
  serverKeys: KeyPair | null = null;
  clock = Date.now;
  /** The time that the server proves. */
  provedClock = () => this.clock();
  /** Changes the challenge that the server answers, and its answers. */
  challengeChange = (challenge: string) => challenge;
  proofChange: (honest: Response) => Response | Promise<Response> = (honest) => honest;
  /** The times, in Unix seconds, of the connect proofs that it was sent. */
  readonly signedTimes: number[] = [];
  /** Does not answer keepalives. */
  ignoresKeepalives = false;
  /** Every text frame received. */
  readonly receivedTexts: string[] = [];
  admissionError: MusterError | null = null;
  /** IDs of peers that have rotated their key. */
  readonly rotatedIds = new Set<string>();
  readonly events: PeerEvent[] = [];
  readonly admitted: JoinRequest[] = [];
  readonly rotations: string[] = [];
  /** The RTT reports of peers. */
  readonly rttReports: (readonly { readonly to: string; readonly rttMs: number }[])[] = [];
  /** The network paths that peers reported. */
  readonly routes: Route[] = [];
  /** What peers announced, without network paths. */
  readonly announced: object[] = [];
  readonly problemCodes: string[] = [];
  /** Every command of the session but its admission, in order. */
  readonly commands: SessionCommand[] = [];
  /** The sizes of the binary frames that the peer has sent. */
  readonly frameSizes: number[] = [];
  /** Sends frames of any size, whatever the peer has said in its hello. */
  ignoresMaxFrame = false;
  /** Replies of the peer to requests. */
  readonly replies: unknown[] = [];
  #socket: LoopSocket | null = null;
  #session: Session = { state: "closed", claim: null };
  #queue = Promise.resolve();

  connect(options: Partial<PeerOptions> = {}): Peer {
    return connectPeer({
      url: BASE,
      onEvent: (event) => this.events.push(event),
      ...options,
      platform: {
        random: () => 0.1,
        openSocket: (url) => this.#open(url),
        fetch: (url) => this.#answer(url),
        measureRoute: () => Promise.resolve(null),
        ...options.platform,
      },
    });
  }

  /** Whether the session has sent more messages of a type than the mesh takes. */
  get exceedsLimits(): boolean {
    return "buckets" in this.#session && this.#session.buckets?.excess !== undefined;
  }

  /** Passes an event to the session, after the earlier ones. */
  dispatch(event: SessionEvent): Promise<void> {
    this.#queue = this.#queue.then(() => this.#step(event));
    return this.#queue;
  }

  /** Sends a text frame, which a real mesh does not do unasked. */
  sendText(text: string): void {
    this.#socket?.emit("message", { data: text });
  }

  /** The socket closes without a closing handshake. */
  dropSocket(): void {
    this.#socket?.close(1006, "");
  }

  async #answer(url: string): Promise<Response> {
    const { pathname, searchParams } = new URL(url);
    if (pathname === "/v1/mesh") return Response.json({ public_key: toHex(this.keys.publicKey) });
    if (pathname === "/v1/mesh/proof") return this.#prove(searchParams);
    const checked = await this.#check(Object.fromEntries(searchParams));
    const error = checked.ok ? ({ code: "upgrade_required", detail: "" } as const) : checked.error;
    this.problemCodes.push(error.code);
    return Response.json(toProblem(error));
  }

  /** Proves a time with the keys that the server really holds. */
  async #prove(query: URLSearchParams): Promise<Response> {
    const challenge = this.challengeChange(query.get("challenge") ?? "");
    const { privateKey } = this.serverKeys ?? this.keys;
    const stated = { signing_key: "ab".repeat(32), time: toRfc3339(this.provedClock()) };
    const keys = { privateKey, publicKey: fromHex(challenge) as Bytes };
    const proof = await makeMeshProof(portableX25519, keys, challenge, stated);
    return this.proofChange(Response.json({ ...stated, proof }));
  }

  #check(query: Record<string, string>) {
    return checkConnect(query, "mesh.test", { current: this.keys, next: this.next }, this.clock());
  }

  #open(url: string): LoopSocket {
    const socket = new LoopSocket();
    this.signedTimes.push(Number(new URL(url).searchParams.get("t")));
    socket.onText = (text) => this.#receiveText(text, socket);
    this.#socket = socket;
    void this.#accept(socket, new URL(url));
    return socket;
  }

  /** The platform answers a ping text, not the session's object. */
  #receiveText(text: string, socket: LoopSocket): void {
    this.receivedTexts.push(text);
    if (text === "ping" && !this.ignoresKeepalives) socket.emit("message", { data: "pong" });
  }

  async #accept(socket: LoopSocket, { searchParams }: URL): Promise<void> {
    const checked = await this.#check(Object.fromEntries(searchParams));
    if (!checked.ok) return socket.close(1006, "");
    const { peerId, meshId } = checked.value;
    this.#session = newNoiseSession({ ...NOWHERE, meshId }, peerId);
    socket.onFrame = (data) => {
      this.frameSizes.push(data.length);
      void this.dispatch({ type: "frame", data });
    };
    socket.readyState = 1;
    socket.emit("open", {});
  }

  async #step(event: SessionEvent): Promise<void> {
    const before = this.#session;
    const requestedId = "origin" in before ? before.origin.meshId : "";
    const keys = this.serverKeys ?? (this.next?.id === requestedId ? this.next : this.keys);
    const context = {
      now: Date.now(),
      randomBytes: platformRandom,
      mesh: { keys, name: "loop" },
      nextMeshKey: this.next?.publicKey ?? null,
      heartbeatAt: null,
      objectId: "loop",
    };
    const { session, effects } =
      before.state === "noise" && event.type === "frame"
        ? await receiveNoise(before, event.data, portableX25519, context)
        : step(before, event, context);
    this.#session = this.ignoresMaxFrame ? withoutMaxFrame(session) : session;
    for (const effect of effects) await this.#perform(effect);
  }

  async #perform(effect: SessionEffect): Promise<void> {
    const socket = this.#socket;
    switch (effect.type) {
      case "send": {
        const frame = effect.frame as Bytes;
        socket?.emit("message", { data: frame.slice().buffer });
        return;
      }
      case "close":
        return socket?.close(effect.code, effect.reason);
      case "command":
        return this.#answerCommand(effect.command, effect.messageId);
      case "await_answers":
        return this.#step({ ...effect, type: "all_answered" });
      case "offer_withheld":
      case "call_too_large":
        return;
      case "call_answered":
        this.replies.push(effect.reply);
        return;
      default:
        return effect satisfies never;
    }
  }

  /** Answers the commands that a test needs, as the coordinator would. */
  async #answerCommand(command: SessionCommand, messageId: string | null): Promise<void> {
    const { name, input } = command;
    if (name !== "admit") this.commands.push(command);
    if (name === "admit") {
      this.admitted.push(input);
      const bar = this.rotatedIds.has(input.peerId) ? ROTATED : this.admissionError;
      const result = bar === null ? welcomed(this.admitted.length) : refused(bar);
      return this.#step({ type: "answered", answer: { name, input, result }, messageId });
    }
    if (name === "hear_advert") {
      const result = ok({ pointers: [] });
      return this.#step({ type: "answered", answer: { name, input, result }, messageId });
    }
    if (name === "announce") {
      const { route, ...changes } = input.announced;
      if (route === undefined) this.announced.push(changes);
      else this.routes.push(route);
    }
    if (name === "report_rtts") this.rttReports.push(input.rtts);
    if (name === "rotate_peer") this.rotations.push(input.newPeerId);
  }
}

function withoutMaxFrame(session: Session): Session {
  if (session.state !== "active" || session.channel.protocol !== "muster/2") return session;
  const { maxFrame: _, ...channel } = session.channel;
  return { ...session, channel };
}

const welcomed = (epoch: number) =>
  ({
    ok: true,
    value: {
      epoch,
      role: "worker",
      rtt: sampleRtt(null, 1),
      reconnect: { slot: 0, per_second: 100 },
      held: 0,
    },
  }) as const;
const ROTATED: MusterError = {
  code: "rotated",
  detail: "the peer has rotated to another key",
};
const refused = (error: MusterError) => ({ ok: false, error }) as const;
