import { fromHex, fromUtf8, toHex, utf8, type Bytes } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { peerIdOf } from "../../crypto/identity.ts";
import { makeConnectProof } from "../../crypto/key-proofs.ts";
import {
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type NoiseState,
} from "../../crypto/noise.ts";
import { openNext, sealNext, type Direction } from "../../crypto/transport.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import {
  FRAME_BYTES_MAX,
  HEARTBEAT_REQUEST,
  HEARTBEAT_RESPONSE,
  KEY_BYTES,
  MUSTER_2_PROLOGUE,
  MUSTER_2_SUBPROTOCOL,
} from "../../protocol/constants.ts";
import { readEnvelope, type Envelope } from "../../protocol/envelope.ts";
import { CLOSE } from "../../protocol/errors.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { MessageType, PayloadInput } from "../../protocol/messages.ts";
import { DialledSocket } from "./dialed-socket.ts";
import { PeerError } from "../errors.ts";
import { helloBytes } from "./hello.ts";
import { Keepalive } from "./keepalive.ts";
import type { Dial, DialOptions, Link, LinkListener } from "./connection.ts";
import { explainDial, fetchMeshKey } from "./upgrade-failure.ts";
import { risingTimestamps } from "./timestamps.ts";
import { connectUrl } from "../urls.ts";

/** Dials a mesh by muster.2: a proof in the URL, a Noise XX handshake, then one sealed message a frame. */
export const dialMuster2: Dial = (options, listener) => new Muster2Link(options, listener);

type State =
  | { readonly at: "opening" }
  | { readonly at: "handshaking"; readonly noise: NoiseState }
  | { readonly at: "open"; readonly meshId: string; send: Direction; receive: Direction };

class Muster2Link implements Link {
  readonly #options: DialOptions;
  readonly #listener: LinkListener;
  readonly #socket: DialledSocket;
  readonly #timestamp: () => string;
  #meshKey: string | null;
  #state: State = { at: "opening" };
  /** Handshake steps wait for WebCrypto; frames that come meanwhile wait for them. */
  #turn: Promise<void> = Promise.resolve();
  #connectUrl = "";
  #keepalive: Keepalive | null = null;

  constructor(options: DialOptions, listener: LinkListener) {
    this.#options = options;
    this.#meshKey = options.meshKey;
    this.#timestamp = risingTimestamps(options.platform.now);
    this.#listener = listener;
    this.#socket = new DialledSocket(
      {
        opened: () => this.#inTurn(() => this.#greet()),
        frame: (data) => this.#inTurn(() => this.#take(data)),
      },
      { heard: () => listener.heard(), ended: (end) => void this.#ended(end) },
      options.platform.now,
    );
    this.#inTurn(() => this.#dial());
  }

  send<T extends MessageType>(type: T, payload: PayloadInput<T>, replyTo?: string): string | null {
    if (this.#state.at !== "open" || !this.#socket.open) return null;
    const message: Envelope = {
      id: newUuid(this.#options.platform.randomBytes),
      type,
      from: this.#options.hello.keys.id,
      to: this.#state.meshId,
      ts: this.#timestamp(),
      payload: payload as Json,
      ...(replyTo !== undefined && { replyTo }),
    };
    const { frame, next } = sealNext(this.#state.send, utf8(JSON.stringify(message)));
    this.#state.send = next;
    return this.#socket.send(frame) ? message.id : null;
  }

  close(code: number, reason: string): Promise<void> {
    this.#keepalive?.stop();
    return this.#socket.close(code, reason);
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn
      .then(() => (this.#socket.over ? undefined : work()))
      .catch((error: unknown) => this.#socket.drop(CLOSE.handshake, String(error)));
  }

  async #dial(): Promise<void> {
    const { url, hello, platform, clockOffset } = this.#options;
    this.#meshKey ??= await this.#askForKey();
    if (this.#meshKey === null || this.#socket.over) return;
    const base = new URL(connectUrl(url));
    const t = Math.floor((platform.now() + clockOffset) / SECOND);
    const publicKey = fromHex(this.#meshKey) as Bytes;
    const keys = { privateKey: hello.keys.privateKey, publicKey };
    const proof = await makeConnectProof(await platformX25519(), keys, base.host, t);
    if (proof === null) return this.#refuse("the mesh's key is not usable");
    const pub = toHex(hello.keys.publicKey);
    const query = { peer: hello.keys.id, pub, mesh: peerIdOf(publicKey), t: String(t), proof };
    base.search = new URLSearchParams(query).toString();
    this.#connectUrl = base.href;
    this.#socket.dial(() => platform.openSocket(base.href, MUSTER_2_SUBPROTOCOL));
  }

  /** Trust on first use: the key that the mesh says it has. The handshake then proves that it has it. */
  async #askForKey(): Promise<string | null> {
    const key = await fetchMeshKey(this.#options.url, this.#options.platform.fetch);
    if (key === null) this.#socket.drop(CLOSE.normal, "the mesh does not say which key it has");
    return key;
  }

  /** Message 1: our ephemeral key. */
  async #greet(): Promise<void> {
    const { hello, platform } = this.#options;
    const started = startNoise(true, utf8(MUSTER_2_PROLOGUE));
    const written = await writeNoise(
      await platformX25519(),
      started,
      hello.keys,
      platform.randomBytes(KEY_BYTES),
      NOTHING,
    );
    if (!written.ok) return this.#socket.drop(CLOSE.handshake, written.error);
    this.#state = { at: "handshaking", noise: written.value.state };
    this.#socket.send(written.value.message);
  }

  async #take(data: string | Bytes): Promise<void> {
    if (typeof data === "string") return this.#takeText(data);
    if (this.#state.at === "handshaking") return this.#prove(this.#state.noise, data);
    if (this.#state.at === "open") return this.#open(this.#state, data);
    this.#listener.ignored("a frame before the handshake");
  }

  /** The platform's answer to a keepalive says no more than that it was heard. */
  #takeText(text: string): void {
    const answered = text === HEARTBEAT_RESPONSE && this.#keepalive !== null;
    if (!answered) this.#listener.ignored("a text frame out of place");
  }

  /** Message 2 proves the mesh's key; message 3 proves ours and says who we are. */
  async #prove(noise: NoiseState, data: Bytes): Promise<void> {
    const { hello } = this.#options;
    const curve = await platformX25519();
    const read = await readNoise(curve, noise, hello.keys, data);
    if (!read.ok) return this.#refuse("whoever answered does not complete the handshake");
    const remote = read.value.state.remoteStatic as Bytes;
    const proved = toHex(remote);
    if (proved !== this.#meshKey)
      return this.#refuse(`whoever answered holds the key ${proved}, not ${this.#meshKey}`);
    const written = await writeNoise(
      curve,
      read.value.state,
      hello.keys,
      NOTHING,
      helloBytes(this.#options),
    );
    const split = written.ok ? splitNoise(written.value.state) : null;
    if (!written.ok || split === null)
      return this.#socket.drop(CLOSE.handshake, "the handshake can't be completed");
    this.#state = {
      at: "open",
      meshId: peerIdOf(remote),
      send: { key: split.send, counter: 0 },
      receive: { key: split.receive, counter: 0 },
    };
    this.#socket.send(written.value.message);
    this.#socket.settled();
    this.#keepalive = new Keepalive(this.#options.platform.random, () =>
      this.#socket.sendAside(HEARTBEAT_REQUEST),
    );
    this.#listener.opened(proved);
  }

  async #open(state: Extract<State, { at: "open" }>, data: Bytes): Promise<void> {
    const opened = data.length > FRAME_BYTES_MAX ? null : openNext(state.receive, data);
    if (opened === null)
      return this.#socket.drop(CLOSE.bad, "a frame that is not the next one of this session");
    state.receive = opened.next;
    const text = fromUtf8(opened.plaintext);
    const message = text === null ? null : readEnvelope(text);
    if (message === null || !message.ok)
      return this.#listener.ignored("a message that can't be read");
    this.#listener.message(message.value);
  }

  #refuse(message: string): void {
    const error = new PeerError("mesh_unproved", message);
    this.#socket.end({ kind: "refused", error }, CLOSE.handshake, error.code);
  }

  /** A WebSocket that is refused at its upgrade says nothing of why; the same URL asked over HTTP does. */
  async #ended(end: Parameters<LinkListener["ended"]>[0]): Promise<void> {
    this.#keepalive?.stop();
    const { platform } = this.#options;
    const refusedAtUpgrade =
      this.#state.at === "opening" && this.#connectUrl !== "" && end.kind === "dropped";
    this.#listener.ended(
      refusedAtUpgrade
        ? await explainDial(this.#connectUrl, end, this.#meshKey ?? "", platform)
        : end,
    );
  }
}

const NOTHING: Bytes = new Uint8Array();
