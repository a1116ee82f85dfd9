import { exports } from "cloudflare:workers";
import { fromHex, fromUtf8, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { keyPairFrom, newKeyPair } from "../../src/crypto/key-pairs.ts";
import { makeConnectProof } from "../../src/crypto/key-proofs.ts";
import {
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type NoiseState,
} from "../../src/crypto/noise.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { openNext, sealNext, type Direction } from "../../src/crypto/transport.ts";
import { portableX25519 } from "../../src/crypto/x25519.ts";
import { Envelope } from "../../src/protocol/envelope.ts";
import { must, present } from "../must.ts";

/** The test mesh's identity (vitest.config.ts). */
export const MESH_KEYS = keyPairFrom(fromHex("11".repeat(32)) as Bytes);
export const HOST = "mesh.test";
const NOTHING = new Uint8Array();

export interface NoiseOptions {
  readonly keys?: KeyPair;
  readonly meshKeys?: KeyPair;
  readonly hello?: { [key: string]: Json };
}

/** The URL of a muster.2 socket, with some parameters replaced. */
export async function connectUrl(
  keys: KeyPair,
  forged: Record<string, string> = {},
  meshKeys: KeyPair = MESH_KEYS,
  t = Math.floor(Date.now() / 1_000),
): Promise<string> {
  const use = { privateKey: keys.privateKey, publicKey: meshKeys.publicKey };
  const proof = present(await makeConnectProof(portableX25519, use, HOST, t));
  const query = {
    peer: keys.id,
    pub: toHex(keys.publicKey),
    mesh: meshKeys.id,
    t: String(t),
    proof,
    ...forged,
  };
  return `http://${HOST}/v1/connect?${new URLSearchParams(query).toString()}`;
}

export const dial = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  exports.default.fetch(url, {
    headers: { Host: HOST, Upgrade: "websocket", "Sec-WebSocket-Protocol": "muster.2", ...headers },
  });

/** A muster.2 peer that a test controls frame by frame over a real WebSocket. */
export class NoisePeer {
  readonly keys: KeyPair;
  readonly meshKeys: KeyPair;
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  noise: NoiseState = startNoise(true, utf8("muster/2"));
  sending: Direction = { key: NOTHING, counter: 0 };
  receiving: Direction = { key: NOTHING, counter: 0 };
  readonly #hello: { [key: string]: Json };
  readonly #inbox: Bytes[] = [];
  readonly #texts: string[] = [];
  readonly #readers: ((frame: Bytes) => void)[] = [];

  private constructor(
    socket: WebSocket,
    keys: KeyPair,
    { meshKeys = MESH_KEYS, hello = {} }: NoiseOptions,
  ) {
    this.keys = keys;
    this.meshKeys = meshKeys;
    this.#hello = hello;
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") {
        this.#texts.push(data);
        return;
      }
      const frame = new Uint8Array(data as ArrayBuffer);
      const reader = this.#readers.shift();
      if (reader === undefined) this.#inbox.push(frame);
      else reader(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
  }

  static async connect(options: NoiseOptions = {}): Promise<NoisePeer> {
    const keys = options.keys ?? newKeyPair(platformRandom);
    const response = await dial(await connectUrl(keys, {}, options.meshKeys));
    if (response.webSocket === null)
      throw new Error(`no WebSocket: ${response.status} ${await response.text()}`);
    return new NoisePeer(response.webSocket, keys, options);
  }

  /** Connects, proves its key and reads its welcome. */
  static async join(options: NoiseOptions = {}): Promise<NoisePeer> {
    const peer = await NoisePeer.connect(options);
    await peer.begin();
    await peer.prove();
    await peer.readType("welcome");
    return peer;
  }

  /** Sends message 1 and reads message 2. */
  async begin(): Promise<void> {
    const written = must(
      await writeNoise(portableX25519, this.noise, this.keys, platformRandom(32), NOTHING),
    );
    this.socket.send(written.message);
    const read = must(await readNoise(portableX25519, written.state, this.keys, await this.next()));
    this.noise = read.state;
  }

  /** Sends message 3, with the hello. */
  async prove(hello: unknown = this.hello()): Promise<void> {
    const payload = utf8(typeof hello === "string" ? hello : JSON.stringify(hello));
    const written = must(await writeNoise(portableX25519, this.noise, this.keys, NOTHING, payload));
    this.socket.send(written.message);
    const split = present(splitNoise(written.state));
    this.sending = { key: split.send, counter: 0 };
    this.receiving = { key: split.receive, counter: 0 };
  }

  hello(): { [key: string]: Json } {
    return { name: "noise peer", role: "worker", capabilities: [], slots: 1, ...this.#hello };
  }

  compose(type: string, payload: Json, overrides: Partial<Envelope> = {}): Envelope {
    return {
      id: crypto.randomUUID(),
      type,
      from: this.keys.id,
      to: this.meshKeys.id,
      ts: new Date().toISOString(),
      payload,
      ...overrides,
    };
  }

  /** The next frame of this session; advances the send counter. */
  seal(envelope: Envelope): Bytes {
    const sealed = sealNext(this.sending, utf8(JSON.stringify(envelope)));
    this.sending = sealed.next;
    return sealed.frame;
  }

  send(type: string, payload: Json, overrides: Partial<Envelope> = {}): Envelope {
    const envelope = this.compose(type, payload, overrides);
    this.socket.send(this.seal(envelope));
    return envelope;
  }

  next(): Promise<Bytes> {
    const frame = this.#inbox.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no frame came")), 27_000);
      this.#readers.push((next) => {
        clearTimeout(timer);
        resolve(next);
      });
      void this.closed.then(({ code, reason }) =>
        reject(new Error(`closed with ${code}: ${reason}`)),
      );
    });
  }

  async read(): Promise<Envelope> {
    const opened = openNext(this.receiving, await this.next());
    if (opened === null) throw new Error("the mesh's frame does not open");
    this.receiving = opened.next;
    return Envelope.parse(JSON.parse(present(fromUtf8(opened.plaintext))));
  }

  async readType(type: string): Promise<Envelope> {
    for (;;) {
      const envelope = await this.read();
      if (envelope.type === type) return envelope;
    }
  }

  /** The frames that have arrived and were not read yet. */
  async pending(): Promise<Envelope[]> {
    const count = this.#inbox.length;
    const messages: Envelope[] = [];
    while (messages.length < count) messages.push(await this.read());
    return messages;
  }

  /** Sends a heartbeat: a text that the platform answers. */
  sendHeartbeat(): void {
    this.socket.send("ping");
  }

  /** The next text frame. */
  async nextText(): Promise<string> {
    for (let tries = 0; tries < 1_200; tries++) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("no text came");
  }

  close(): void {
    this.socket.close(1000, "done");
  }
}
