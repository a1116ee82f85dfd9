import { randomBytes, randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { dialSocket, listenForSockets, type Data, type PlainSocket } from "./web-socket.ts";
import {
  idOf,
  opened,
  publicKeyOf,
  responseTo,
  sealed,
  secretOf,
  type Generation,
} from "./wire.ts";

export interface Form {
  readonly generation: Generation;
  /** Of generation 2: whether payloads have sorted keys, and `start_miner`'s config is base64. */
  readonly late: boolean;
}

export interface Message {
  readonly id: string;
  readonly type: string;
  readonly from: string;
  readonly to: string;
  readonly payload: unknown;
  readonly replyTo?: string;
}

interface Identity {
  readonly id: string;
  readonly publicKey: string;
}
interface Greeting {
  readonly identity: Identity;
  readonly challenge?: string;
  readonly challengeResponse?: string;
  readonly accepted?: boolean;
  readonly reason?: string;
}

const PING_EVERY_MS = 30_000;
/** A node ends a connection that carried no data frame for so long. */
const SILENCE_MS = { 1: 40_000, 2: 30_000 } as const;

/** A go-p2p node with a Worker, of either generation. It dials or listens, and connects again never by itself. */
export class GoP2pNode {
  readonly form: Form;
  readonly name: string;
  readonly #private: Buffer;
  readonly publicKey: Buffer;
  readonly id: string;
  /** Every message that opened, and why each connection ended. */
  readonly heard: Message[] = [];
  readonly ends: string[] = [];
  /** The `config` of each `start_miner` that the worker could read. */
  readonly configs: unknown[] = [];
  connections = 0;
  #server: Server | null = null;
  #link: Link | null = null;

  constructor(form: Form, name: string, privateKey = randomBytes(32)) {
    this.form = form;
    this.name = name;
    this.#private = privateKey;
    this.publicKey = publicKeyOf(privateKey);
    this.id = idOf(this.publicKey);
  }

  async dial(url: string): Promise<void> {
    const link = this.#connected(await dialSocket(url));
    link.greet("handshake", { challenge: link.challenge.toString("base64"), version: "1.0" });
  }

  async listen(): Promise<string> {
    const { server, url } = await listenForSockets((socket) => this.#connected(socket));
    this.#server = server;
    return url;
  }

  send(type: string, payload: unknown): void {
    this.#link?.send(type, payload);
  }

  stop(): void {
    this.#server?.close();
    this.#link?.end("stopped");
  }

  secretWith(publicKey: Buffer): Buffer {
    return secretOf(this.#private, publicKey);
  }

  identity(): object {
    return {
      id: this.id,
      name: this.name,
      publicKey: this.publicKey.toString("base64"),
      createdAt: "2026-05-01T12:00:00.123456789+01:00",
      role: "worker",
    };
  }

  /** The payload of the answer of a Worker; null when it has none. */
  answer(
    type: string,
    payload: unknown,
  ): { readonly type: string; readonly payload: object } | null {
    const asked = (payload ?? {}) as { readonly [name: string]: unknown };
    switch (type) {
      case "ping":
        return { type: "pong", payload: { sentAt: asked["sentAt"], receivedAt: Date.now() } };
      case "get_stats":
        return {
          type: "stats",
          payload: { nodeId: this.id, nodeName: this.name, miners: [], uptime: 7 },
        };
      case "start_miner":
        return this.#startMiner(asked["config"]);
      default:
        return null;
    }
  }

  #startMiner(config: unknown) {
    if (this.form.late && typeof config !== "string")
      return { type: "error", payload: { code: 4, message: "json: cannot unmarshal object" } };
    this.configs.push(
      this.form.late ? JSON.parse(Buffer.from(String(config), "base64").toString()) : config,
    );
    return { type: "miner_ack", payload: { success: true, name: "xmrig-1", minerName: "xmrig-1" } };
  }

  #connected(socket: PlainSocket): Link {
    this.connections++;
    this.#link = new Link(this, socket);
    return this.#link;
  }
}

/** One connection of a node. */
class Link {
  readonly challenge = randomBytes(32);
  readonly #node: GoP2pNode;
  readonly #socket: PlainSocket;
  readonly #pings: ReturnType<typeof setInterval>;
  #silence: ReturnType<typeof setTimeout>;
  #secret: Buffer | null = null;
  #meshId = "";
  #reason = "";

  constructor(node: GoP2pNode, socket: PlainSocket) {
    this.#node = node;
    this.#socket = socket;
    this.#silence = this.#waitForFrame();
    this.#pings = setInterval(() => this.send("ping", { sentAt: Date.now() }), PING_EVERY_MS);
    socket.onData = (data) => this.#receive(data);
    socket.onEnd = (code) => {
      clearTimeout(this.#silence);
      clearInterval(this.#pings);
      node.ends.push(this.#reason === "" ? `closed with ${code}` : this.#reason);
    };
  }

  greet(type: string, more: object, to = "bootstrap"): void {
    this.#socket.send(this.#text(type, to, { identity: this.#node.identity(), ...more }));
  }

  send(type: string, payload: unknown, replyTo?: string): void {
    if (this.#secret === null) return;
    const text = this.#text(type, this.#meshId, payload, replyTo);
    this.#socket.send(sealed(text, this.#secret, this.#node.form.generation));
  }

  end(reason: string): void {
    this.#reason ||= reason;
    this.#socket.end();
  }

  #waitForFrame() {
    const limit = SILENCE_MS[this.#node.form.generation];
    return setTimeout(() => this.end(`no data frame for ${limit / 1_000} s`), limit);
  }

  #receive(data: Data): void {
    clearTimeout(this.#silence);
    this.#silence = this.#waitForFrame();
    if (this.#secret === null) return this.#greeted(JSON.parse(data.toString()) as Message);
    const text = opened(Buffer.from(data), this.#secret, this.#node.form.generation);
    if (text === null) return;
    const message = JSON.parse(text) as Message;
    this.#node.heard.push(message);
    const answer = this.#node.answer(message.type, message.payload);
    if (answer !== null) this.send(answer.type, answer.payload, message.id);
  }

  #greeted({ type, from, payload }: Message): void {
    const { generation } = this.#node.form;
    const { identity, challenge, challengeResponse, accepted, reason } = payload as Greeting;
    const secret = this.#node.secretWith(Buffer.from(identity.publicKey, "base64"));
    if (type === "handshake_ack") {
      const expected = responseTo(this.challenge, secret, generation).toString("base64");
      if (accepted !== true) return this.end(`refused: ${reason}`);
      if (challengeResponse !== expected) return this.end("challenge response verification failed");
    }
    this.#secret = secret;
    this.#meshId = from;
    if (type !== "handshake") return;
    const response = responseTo(Buffer.from(String(challenge), "base64"), secret, generation);
    this.greet(
      "handshake_ack",
      { accepted: true, challengeResponse: response.toString("base64") },
      from,
    );
  }

  #text(type: string, to: string, payload: unknown, replyTo?: string): string {
    const { generation, late } = this.#node.form;
    const time = `${new Date().toISOString().slice(0, -1)}456789Z`;
    return JSON.stringify({
      id: randomUUID(),
      type,
      from: this.#node.id,
      to,
      ...(generation === 1 ? { ts: time } : { timestamp: time }),
      payload: late ? sorted(payload) : payload,
      replyTo,
    });
  }
}

/** Late nodes decode a payload into a map and write it again, with its keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
