import { exports } from "cloudflare:workers";
import { toBase64, type Bytes } from "../../src/base/bytes.ts";
import { sharedSecret, type KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  frameCipher,
  openFrame,
  sealFrame,
  type FrameCipher,
} from "../../src/crypto/session-cipher.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import { GO_P2P_ERROR } from "../../src/protocol/errors.ts";
import type { MusterField } from "../../src/protocol/messages.ts";
import type { Json } from "../../src/base/json.ts";
import type { GoP2pGeneration } from "../../src/protocol/go-p2p-generation.ts";
import { readGoP2pEnvelope, writeGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import { bytesOf, must, present } from "../must.ts";
import { wire } from "../wire.ts";

/** How many milliseconds a test waits for a frame. No delay of the mesh is equal, so that `Timers` can tell them apart. */
const PATIENCE = 27_000;
/** Names no task. */
const UNKNOWN_TASK = "00000000-0000-4000-8000-000000000000";

export interface PeerOptions {
  /** The object for the session, for tests that inspect it; otherwise the gateway chooses one. */
  readonly object?: DurableObjectStub;
  readonly path?: "/v1/connect" | "/ws";
  readonly keys?: KeyPair;
  readonly name?: string;
  readonly role?: string;
  readonly muster?: MusterField | null;
  /** Of go-p2p; 1 by default. */
  readonly generation?: GoP2pGeneration;
}

/**
 * A go-p2p 1.0 peer that a test controls message by message over a real WebSocket. It sends nothing by itself, so that a test
 * decides what is sent, omitted or forged.
 */
export class GoPeer {
  readonly keys: KeyPair;
  readonly name: string;
  readonly role: string;
  readonly muster: MusterField | null;
  readonly generation: GoP2pGeneration;
  readonly socket: WebSocket;
  meshId = "";
  cipher: FrameCipher = frameCipher(new Uint8Array(), 1);
  /** The password of the containers that the mesh seals for this peer. */
  password = "";
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #inbox: (string | Bytes)[] = [];
  readonly #readers: ((frame: string | Bytes) => void)[] = [];

  private constructor(socket: WebSocket, options: PeerOptions) {
    this.keys = options.keys ?? newKeyPair(platformRandom);
    this.name = options.name ?? "test peer";
    this.role = options.role ?? "worker";
    this.muster =
      options.muster === undefined ? { v: 1, capabilities: [], slots: 1 } : options.muster;
    this.generation = options.generation ?? 1;
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      const frame = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
      const reader = this.#readers.shift();
      if (reader === undefined) this.#inbox.push(frame);
      else reader(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
  }

  static async connect(options: PeerOptions = {}): Promise<GoPeer> {
    const { webSocket, status } = await (options.object ?? exports.default).fetch(
      `http://mesh.test${options.path ?? "/v1/connect"}`,
      { headers: { Upgrade: "websocket" } },
    );
    if (webSocket === null) throw new Error(`no WebSocket: ${status}`);
    return new GoPeer(webSocket, options);
  }

  /** Connects, proves its key and, if it speaks Muster, reads its welcome. */
  static async join(options: PeerOptions = {}): Promise<GoPeer> {
    const peer = await GoPeer.connect(options);
    await peer.handshake();
    await peer.prove();
    return peer;
  }

  identity(): { [key: string]: Json } {
    return {
      id: this.keys.id,
      name: this.name,
      publicKey: toBase64(this.keys.publicKey),
      createdAt: "2026-01-02T03:04:05.678901234+02:00",
      role: this.role,
      ...(this.muster !== null && { muster: this.muster }),
    };
  }

  /** Sends a handshake, with some fields replaced, and reads its ack. */
  async handshake(
    payload: { [key: string]: Json } = {},
    overrides: Partial<Envelope> = {},
  ): Promise<Envelope> {
    const challenge = toBase64(platformRandom(32));
    const whole = { identity: this.identity(), challenge, version: "1.0", ...payload };
    const sent = this.compose("handshake", whole, { to: "", ...overrides });
    this.sendText(writeGoP2pEnvelope(sent, this.generation));
    const ack = must(readGoP2pEnvelope((await this.next()) as string)).envelope;
    const { identity } = ack.payload as { identity: { id: string; publicKey: string } };
    this.meshId = identity.id;
    const secret = present(sharedSecret(this.keys.privateKey, bytesOf(identity.publicKey)));
    this.cipher = frameCipher(secret, this.generation);
    this.password = toBase64(secret);
    return ack;
  }

  /** Answers the ping that proves the key; a peer that speaks Muster then reads its welcome. */
  async prove(): Promise<Envelope | null> {
    this.pong(await this.read());
    return this.muster === null ? null : this.read();
  }

  compose(type: string, payload: Json, overrides: Partial<Envelope> = {}): Envelope {
    return {
      id: crypto.randomUUID(),
      type,
      from: this.keys.id,
      to: this.meshId,
      ts: new Date().toISOString(),
      payload,
      ...overrides,
    };
  }

  send(type: string, payload: Json, overrides: Partial<Envelope> = {}): Envelope {
    const envelope = this.compose(type, payload, overrides);
    this.sendFrame(this.seal(envelope));
    return envelope;
  }

  seal(envelope: Envelope): Bytes {
    return sealFrame(this.cipher, envelope, Date.now(), platformRandom);
  }

  sendFrame(frame: Uint8Array): void {
    this.socket.send(frame);
  }

  sendText(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next frame, undecrypted. */
  next(): Promise<string | Bytes> {
    const frame = this.#inbox.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no frame came")), PATIENCE);
      this.#readers.push((next) => {
        clearTimeout(timer);
        resolve(next);
      });
      void this.closed.then(({ code, reason }) =>
        reject(new Error(`closed with ${code}: ${reason}`)),
      );
    });
  }

  /** The next message, decrypted. */
  async read(): Promise<Envelope> {
    const frame = await this.next();
    if (typeof frame === "string") throw new Error(`a text frame: ${frame}`);
    const opened = openFrame(this.cipher, frame);
    if (!opened.ok) throw new Error(opened.error.detail);
    // As a node reads it: a value in it may be kept as its text.
    return wire(opened.value);
  }

  /** The next message of this type; earlier messages of other types are discarded. */
  async readType(type: string): Promise<Envelope> {
    for (;;) {
      const envelope = await this.read();
      if (envelope.type === type) return envelope;
    }
  }

  /**
   * All messages of the mesh up to its refusal of a message about a task that does not exist. The coordinator answers a
   * session's commands in order, so every earlier frame and its command were answered by then, and the session is alive.
   */
  async catchUp(): Promise<Envelope[]> {
    const attempt = { task_id: UNKNOWN_TASK, fence: 1, reason: "" };
    const barrier = this.send("task_refuse", attempt);
    const before: Envelope[] = [];
    for (;;) {
      const envelope = await this.read();
      if (envelope.replyTo !== barrier.id) {
        before.push(envelope);
        continue;
      }
      // A peer whose session is not its newest is told to stop, too.
      const { code } = envelope.payload as { code: number };
      if (code !== (this.generation === 1 ? GO_P2P_ERROR.notFound : 1))
        await this.readType("task_cancel");
      return before;
    }
  }

  /** The messages that have arrived and were not read yet. */
  async pending(): Promise<Envelope[]> {
    const count = this.#inbox.length;
    const messages: Envelope[] = [];
    while (messages.length < count) messages.push(await this.read());
    return messages;
  }

  /** Sends one message and returns the mesh's replies to it. */
  async ask(type: string, payload: Json, overrides: Partial<Envelope> = {}): Promise<Envelope[]> {
    this.send(type, payload, overrides);
    return this.catchUp();
  }

  /** Answers a ping of the mesh. */
  pong(ping: Envelope): void {
    this.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
  }

  close(): void {
    this.socket.close(1000, "done");
  }
}
