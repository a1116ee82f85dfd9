import { onTestFinished } from "vitest";
import { fromBase64, toBase64, toHex, type Bytes } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import type { PeerEvent } from "../../src/client/peer/peer-events.ts";
import { connectPeer } from "../../src/client/peer/connect-peer.ts";
import type { Peer } from "../../src/client/peer/peer-handle.ts";
import type { PeerOptions } from "../../src/client/peer/peer-options.ts";
import type { SocketClosed, SocketLike } from "../../src/client/platform.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { sharedSecret, type KeyPair } from "../../src/crypto/identity.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { frameCipher, openFrame, sealFrame } from "../../src/crypto/session-cipher.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import { newUuid } from "../../src/protocol/ids.ts";
import { Handshake } from "../../src/protocol/messages.ts";
import { wire } from "../wire.ts";

type Listener = (event: never) => void;

/** The client's end of a WebSocket; the test controls the other end. */
class FakeSocket implements SocketLike {
  binaryType = "blob";
  readyState = 0;
  readonly sent: (string | Bytes)[] = [];
  closedWith: { readonly code: number | undefined } | null = null;
  readonly #listeners = new Map<string, Listener[]>();

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Bytes): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.closedWith = { code };
  }

  emit(type: "open" | "message" | "close", event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

/** Faults that a test puts into the mesh's answer to a handshake. */
interface AckFaults {
  readonly accepted?: boolean;
  readonly reason?: string;
  readonly challengeResponse?: string;
  readonly id?: string;
  readonly publicKey?: string;
}

interface FrameFaults {
  readonly id?: string;
  readonly from?: string;
  readonly to?: string;
  readonly replyTo?: string;
}

/** The mesh's side of one go-p2p session, built on the same ciphers. */
export class FakeSession {
  readonly socket: FakeSocket;
  readonly #mesh: KeyPair;
  #peer: { readonly id: string; readonly key: Bytes; readonly challenge: Bytes } | null = null;

  constructor(socket: FakeSocket, mesh: KeyPair) {
    this.socket = socket;
    this.#mesh = mesh;
  }

  /** Opens the socket and reads the peer's handshake. */
  open(): Handshaken {
    this.socket.readyState = 1;
    this.socket.emit("open", {});
    const envelope = JSON.parse(this.socket.sent[0] as string) as Envelope;
    const handshake = Handshake.parse(envelope.payload);
    const publicKey = fromBase64(handshake.identity.publicKey) as Bytes;
    this.#peer = {
      id: handshake.identity.id,
      key: sharedSecret(this.#mesh.privateKey, publicKey) as Bytes,
      challenge: fromBase64(handshake.challenge) as Bytes,
    };
    return { envelope, ...handshake };
  }

  ack(faults: AckFaults = {}): void {
    const { key, challenge, id } = this.#known;
    const { accepted = true, challengeResponse = toBase64(answerChallenge(key, challenge, 1)) } =
      faults;
    const payload = {
      identity: {
        id: faults.id ?? this.#mesh.id,
        name: "mesh",
        publicKey: faults.publicKey ?? toBase64(this.#mesh.publicKey),
        createdAt: "2026-01-01T00:00:00Z",
        role: "controller",
      },
      accepted,
      ...(accepted && { challengeResponse }),
      ...(faults.reason !== undefined && { reason: faults.reason }),
    };
    this.text(JSON.stringify(this.#envelope("handshake_ack", payload, { to: id })));
  }

  /** Sends one encrypted message and returns the frame, so that a test can replay it. */
  send(type: string, payload: Json, faults: FrameFaults = {}): Bytes {
    const message = this.#envelope(type, payload, faults);
    const frame = sealFrame(frameCipher(this.#known.key, 1), message, Date.now(), platformRandom);
    this.frame(frame);
    return frame;
  }

  welcome(more: Record<string, Json> = {}): void {
    const mesh = { id: this.#mesh.id, name: "m", public_key: toHex(this.#mesh.publicKey) };
    this.send("welcome", { peer_id: this.#known.id, epoch: 1, role: "worker", mesh, ...more });
  }

  offer(fields: Record<string, Json> & { readonly task_id: string }): void {
    const offer = { fence: 1, kind: "work", payload: null, attempt: 1, lease_seconds: 30 };
    this.send("task_offer", { ...offer, ...fields });
  }

  /** Confirms every result that the peer has sent, as the mesh does when it has committed them. */
  confirm(): void {
    const asked = this.received.findLast(
      ({ type, payload }) => type === "ping" && (payload as { confirm?: true }).confirm === true,
    );
    if (asked === undefined) throw new Error("the peer has not asked for confirmation");
    this.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: asked.id });
  }

  text(data: string): void {
    this.socket.emit("message", { data });
  }

  frame(bytes: Bytes): void {
    this.socket.emit("message", { data: bytes.slice().buffer });
  }

  /** The mesh, or the network, closes the socket. */
  close(code: number, reason = ""): void {
    this.socket.readyState = 3;
    this.socket.emit("close", { code, reason } satisfies SocketClosed);
  }

  /** Every message that the peer has sent since the handshake, in order. */
  get received(): readonly Envelope[] {
    return this.socket.sent.slice(1).map((frame) => {
      const message = openFrame(frameCipher(this.#known.key, 1), frame as Bytes);
      if (!message.ok) throw new Error(message.error.detail);
      return wire(message.value);
    });
  }

  /** The payloads of one type that the peer has sent. */
  payloads(type: string): readonly Json[] {
    return this.received.filter((sent) => sent.type === type).map(({ payload }) => payload);
  }

  #envelope(type: string, payload: Json, faults: FrameFaults): Envelope {
    return {
      id: newUuid(platformRandom),
      type,
      from: this.#mesh.id,
      to: this.#known.id,
      ts: new Date().toISOString(),
      payload,
      ...faults,
    };
  }

  get #known() {
    if (this.#peer === null) throw new Error("open() the session first");
    return this.#peer;
  }
}

type Handshaken = { readonly envelope: Envelope } & ReturnType<typeof Handshake.parse>;

/** A mesh whose answers the test controls, and the peer that dials it. */
export class FakeMesh {
  readonly keys = generateIdentity();
  readonly sessions: FakeSession[] = [];
  readonly events: PeerEvent[] = [];

  /** Dials. The peer and its sockets are closed when the test ends: their timers would run in the tests after it. */
  connect(options: Partial<PeerOptions> = {}): Peer {
    const peer = connectPeer({
      protocol: "go-p2p/1.0",
      url: "http://mesh.test",
      onEvent: (event) => this.events.push(event),
      ...options,
      platform: {
        random: () => 0.5,
        openSocket: () => this.#newSocket(),
        measureRoute: () => Promise.resolve(null),
        ...options.platform,
      },
    });
    onTestFinished(() => {
      void peer.close();
      for (const session of this.sessions) session.close(1000);
    });
    return peer;
  }

  /** Connects a peer and completes its first session up to the welcome. */
  join(options: Partial<PeerOptions> = {}): { readonly peer: Peer; readonly session: FakeSession } {
    const peer = this.connect(options);
    return { peer, session: this.welcomeNext() };
  }

  /** Completes the newest session up to the welcome. */
  welcomeNext(more?: Record<string, Json>): FakeSession {
    const session = this.lastSession;
    session.open();
    session.ack();
    session.welcome(more);
    return session;
  }

  get lastSession(): FakeSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error("no peer has dialed");
    return session;
  }

  eventsOf<T extends PeerEvent["type"]>(type: T): readonly Extract<PeerEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as never;
  }

  #newSocket(): SocketLike {
    const socket = new FakeSocket();
    this.sessions.push(new FakeSession(socket, this.keys));
    return socket;
  }
}

/** A task ID that contains the number `n`. */
export const taskId = (n: number): string =>
  `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
