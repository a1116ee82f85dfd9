import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { PeerSession } from "../../durable/peer-session.ts";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import { sharedSecret, type KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  frameCipher,
  openFrame,
  sealFrame,
  type FrameCipher,
} from "../../src/crypto/session-cipher.ts";
import { Envelope } from "../../src/protocol/envelope.ts";
import { Handshake, type MusterField } from "../../src/protocol/messages.ts";
import { bytesOf, must, present } from "../must.ts";
import { until } from "./api.ts";

export interface NodeOptions {
  readonly keys?: KeyPair;
  readonly muster?: MusterField;
  /** Replaces fields of the node's ack. */
  readonly ack?: { readonly [name: string]: Json };
  /** The message at which the node stops: it answers only the messages before this one. */
  readonly stopsBefore?: "ack" | "pong";
}

/**
 * A go-p2p node that listens, in an object of its own, to which `fetch` of the mesh's objects is routed. It answers handshakes
 * and pings by itself; a test controls the rest in the node's object, which owns the socket.
 */
export class ListeningNode {
  readonly keys: KeyPair;
  readonly options: NodeOptions;
  readonly url: string;
  /** Every message that arrived, including the handshake. */
  readonly heard: Envelope[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  /** How many WebSockets were opened so far. */
  opened = 0;
  readonly #id = env.PEER_SESSION.newUniqueId();
  #socket: WebSocket | null = null;
  #cipher: FrameCipher = frameCipher(new Uint8Array(), 1);
  #meshId = "";

  constructor(host: string, options: NodeOptions = {}) {
    this.keys = options.keys ?? newKeyPair(platformRandom);
    this.options = options;
    this.url = `wss://${host}/ws`;
  }

  get publicKey(): string {
    return toHex(this.keys.publicKey);
  }

  /** The node's own object. A stub works only in the object that made it. */
  get object() {
    return env.PEER_SESSION.get(this.#id);
  }

  /** The answer of the node's object to an upgrade request. */
  accept(): Response {
    const { 0: theirs, 1: own } = new WebSocketPair();
    own.binaryType = "arraybuffer";
    own.addEventListener("message", ({ data }) => this.#take(data as string | ArrayBuffer));
    own.addEventListener("close", ({ code, reason }) => {
      this.closes.push({ code, reason });
    });
    own.accept();
    this.#socket = own;
    this.opened++;
    return new Response(null, { status: 101, webSocket: theirs });
  }

  send(type: string, payload: Json, overrides: Partial<Envelope> = {}): Promise<Envelope> {
    return runInDurableObject(this.object, () => {
      const envelope = this.#compose(type, payload, overrides);
      this.#say(envelope);
      return envelope;
    });
  }

  close(code = 1000): Promise<void> {
    return runInDurableObject(this.object, () => present(this.#socket).close(code, "bye"));
  }

  /** The newest message of a type; waits for one that comes after the first `after` messages. */
  async hears(type: string, after = 0): Promise<Envelope> {
    const found = () => this.heard.slice(after).findLast((message) => message.type === type);
    return present(await until(async () => found() ?? null, Boolean));
  }

  #take(data: string | ArrayBuffer): void {
    if (typeof data === "string") return this.#greeted(Envelope.parse(JSON.parse(data)));
    const message = must(openFrame(this.#cipher, new Uint8Array(data)));
    this.heard.push(message);
    if (message.type !== "ping" || this.options.stopsBefore === "pong") return;
    this.#say(this.#compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: message.id }));
  }

  #greeted(message: Envelope): void {
    this.heard.push(message);
    const { identity, challenge } = Handshake.parse(message.payload);
    const secret = present(sharedSecret(this.keys.privateKey, bytesOf(identity.publicKey)));
    this.#cipher = frameCipher(secret, 1);
    this.#meshId = identity.id;
    if (this.options.stopsBefore === "ack") return;
    const response = toBase64(answerChallenge(secret, bytesOf(challenge), 1));
    const ack = this.#compose("handshake_ack", {
      identity: this.#identity(),
      challengeResponse: response,
      accepted: true,
      ...this.options.ack,
    });
    present(this.#socket).send(JSON.stringify(ack));
  }

  #identity(): Json {
    return {
      id: this.keys.id,
      name: "listening node",
      publicKey: toBase64(this.keys.publicKey),
      createdAt: "2026-01-02T03:04:05.678901234+02:00",
      role: "worker",
      ...(this.options.muster !== undefined && { muster: this.options.muster }),
    };
  }

  #compose(type: string, payload: Json, overrides: Partial<Envelope> = {}): Envelope {
    return {
      id: crypto.randomUUID(),
      type,
      from: this.keys.id,
      to: this.#meshId,
      ts: new Date().toISOString(),
      payload,
      ...overrides,
    };
  }

  #say(envelope: Envelope): void {
    present(this.#socket).send(sealFrame(this.#cipher, envelope, Date.now(), platformRandom));
  }
}

type Answer = (init: RequestInit) => Promise<Response>;

/** The network outside the mesh, by host. Other hosts can't be reached. */
export class Outside {
  /** Every URL that was fetched, with its options. */
  readonly fetched: { readonly url: string; readonly init: RequestInit }[] = [];
  readonly #hosts = new Map<string, Answer>();
  readonly #nodes = new Map<string, ListeningNode>();

  constructor() {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init = {}) => {
      const url = new URL(input as string);
      this.fetched.push({ url: url.href, init });
      const answer = this.#hosts.get(url.host);
      if (answer === undefined) throw new Error("connection refused");
      return answer(init);
    });
    const nodes = this.#nodes;
    const fetch: PeerSession["fetch"] = Reflect.get(PeerSession.prototype, "fetch");
    vi.spyOn(PeerSession.prototype, "fetch").mockImplementation(async function (
      this: PeerSession,
      request: Request,
    ) {
      const node = nodes.get(new URL(request.url).host);
      return node === undefined ? fetch.call(this, request) : node.accept();
    });
  }

  /** A node that listens at a host, in an object of its own: a WebSocket to it crosses from one object to another. */
  node(host: string, options: NodeOptions = {}): ListeningNode {
    const node = new ListeningNode(host, options);
    this.#nodes.set(host, node);
    this.answer(host, () =>
      node.object.fetch(`http://${host}/ws`, { headers: { Upgrade: "websocket" } }),
    );
    return node;
  }

  answer(host: string, answer: Answer): void {
    this.#hosts.set(host, answer);
  }

  /** Makes a host unreachable. */
  down(host: string): void {
    this.#hosts.delete(host);
  }
}

/** An empty network: every dialed address is unreachable. */
export const noOutside = (): Outside => new Outside();
