import { fromHex, fromUtf8, toHex, utf8, type Bytes } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import { redactedError } from "../../base/redact.ts";
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
  HELLO_BYTES_MAX,
  KEY_BYTES,
  MUSTER_2_PROLOGUE,
  MUSTER_2_SUBPROTOCOL,
} from "../../protocol/constants.ts";
import { readEnvelope } from "../../protocol/read-envelope.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import { cutTexts } from "../../protocol/cut-texts.ts";
import type { MessageType, PayloadInput } from "../../protocol/messages.ts";
import { PeerError } from "../errors.ts";
import { connectUrl } from "../urls.ts";
import type {
  Connection,
  ConnectionEnd,
  ConnectionListener,
  ConnectOptions,
  Dial,
} from "./connection.ts";
import { DialedSocket } from "./dialed-socket.ts";
import { frameBytesOf } from "./frame-bytes.ts";
import { helloBytes } from "./hello.ts";
import { Keepalive } from "./keepalive.ts";
import { envelopeOf, type OutgoingMessage } from "./outgoing-message.ts";
import { risingTimestamps } from "./timestamps.ts";
import { explainRefusedUpgrade, fetchMeshKey } from "./upgrade-failure.ts";

/** Dials a mesh by muster.2: a proof in the URL, a Noise XX handshake, then one encrypted message per frame. */
export const dialMuster2: Dial = (options, listener) => new Muster2Connection(options, listener);

type State =
  | { readonly at: "opening" }
  | { readonly at: "handshaking"; readonly noise: NoiseState }
  | { readonly at: "open"; readonly meshId: string; send: Direction; receive: Direction };

class Muster2Connection implements Connection {
  readonly #options: ConnectOptions;
  readonly #listener: ConnectionListener;
  readonly #socket: DialedSocket;
  readonly #timestamp: () => string;
  #meshKey: string | null;
  #state: State = { at: "opening" };
  /** The tail of the queue of steps. Handshake steps await WebCrypto; frames that arrive meanwhile wait in this queue. */
  #steps: Promise<void> = Promise.resolve();
  #connectUrl = "";
  /** Whether a frame arrived before the server had proved its key. */
  #hasAnswered = false;
  #keepalive: Keepalive | null = null;

  constructor(options: ConnectOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#meshKey = options.meshKey;
    this.#timestamp = risingTimestamps(options.platform.now);
    this.#listener = listener;
    this.#socket = new DialedSocket(
      {
        open: () => this.#enqueue(() => this.#sendMessage1()),
        frame: (data) => this.#frameArrived(data),
        encode: (message) => this.#encode(message),
      },
      { activity: () => listener.activity(), ended: (end) => void this.#onEnded(end) },
      options.platform,
    );
    this.#enqueue(() => this.#dial());
  }

  send<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    replyTo?: string,
    onSent?: () => void,
  ): string | null {
    if (this.#state.at !== "open") return null;
    const fitting = this.#fitting(type, payload as Json);
    return fitting === null ? null : this.#socket.send({ type, payload: fitting, replyTo, onSent });
  }

  /** The payload, with its texts cut if it is too large for a frame; null if that is not enough. */
  #fitting(type: MessageType, payload: Json): Json | null {
    const { maxFrame } = this.#options.profile;
    if (maxFrame === undefined || frameBytesOf(payload) <= maxFrame) return payload;
    const cut = cutTexts(payload);
    if (frameBytesOf(cut) <= maxFrame) return cut;
    this.#listener.frameIgnored(`a ${type} that is larger than maxFrame was not sent`);
    return null;
  }

  close(code: number, reason: string): Promise<void> {
    this.#keepalive?.stop();
    return this.#socket.close(code, reason);
  }

  /** The frame of a message. It must be sent at once: the counter that encrypted it has advanced. */
  #encode(message: OutgoingMessage): Bytes | null {
    if (this.#state.at !== "open") return null;
    const addresses = { from: this.#options.profile.keys.id, to: this.#state.meshId };
    const envelope = envelopeOf(message, { ...addresses, ts: this.#timestamp() });
    const { frame, next } = sealNext(this.#state.send, utf8(writeJson(envelope)));
    this.#state.send = next;
    return frame;
  }

  /** Runs steps one after the other; a step that throws drops the connection. */
  #enqueue(step: () => Promise<void>): void {
    this.#steps = this.#steps
      .then(() => (this.#socket.ended ? undefined : step()))
      .catch((error: unknown) => this.#socket.drop(CLOSE.handshake, redactedError(error)));
  }

  async #dial(): Promise<void> {
    const { url, profile, platform, clockOffset } = this.#options;
    this.#meshKey ??= await this.#fetchMeshKey();
    if (this.#meshKey === null || this.#socket.ended) return;
    const base = new URL(connectUrl(url));
    const t = Math.floor((platform.now() + clockOffset) / SECOND);
    const publicKey = fromHex(this.#meshKey) as Bytes;
    const keys = { privateKey: profile.keys.privateKey, publicKey };
    const proof = await makeConnectProof(await platformX25519(), keys, base.host, t);
    if (proof === null) return this.#refuse(`the mesh key ${this.#meshKey} is not a usable key`);
    const pub = toHex(profile.keys.publicKey);
    const query = { peer: profile.keys.id, pub, mesh: peerIdOf(publicKey), t: String(t), proof };
    base.search = new URLSearchParams(query).toString();
    this.#connectUrl = base.href;
    this.#socket.dial(() => platform.openSocket(base.href, MUSTER_2_SUBPROTOCOL));
  }

  /** Trust on first use: the key that the mesh claims. The handshake then proves that it holds this key. */
  async #fetchMeshKey(): Promise<string | null> {
    const { url, platform } = this.#options;
    const key = await fetchMeshKey(url, "muster/2", platform.fetch);
    if (key.ok) return key.value;
    const { message: reason } = key.error;
    this.#socket.end({ kind: "dropped", code: CLOSE.normal, reason, failure: key.error });
    return null;
  }

  /** Message 1: our ephemeral key. */
  async #sendMessage1(): Promise<void> {
    const { profile, platform } = this.#options;
    const written = await writeNoise(
      await platformX25519(),
      startNoise(true, utf8(MUSTER_2_PROLOGUE)),
      profile.keys,
      platform.randomBytes(KEY_BYTES),
      NO_PAYLOAD,
    );
    if (!written.ok) return this.#socket.drop(CLOSE.handshake, written.error);
    this.#state = { at: "handshaking", noise: written.value.state };
    this.#socket.sendFrame(written.value.message);
  }

  /** A server that has proved nothing gets one frame processed, of a handshake's size: others must not fill the queue of steps. */
  #frameArrived(data: string | Bytes): void {
    if (this.#state.at !== "open") {
      if (this.#hasAnswered || data.length > HELLO_BYTES_MAX)
        return this.#socket.drop(
          CLOSE.handshake,
          "the server sent more than one handshake message",
        );
      this.#hasAnswered = true;
    }
    this.#enqueue(() => this.#receive(data));
  }

  async #receive(data: string | Bytes): Promise<void> {
    if (typeof data === "string") return this.#receiveText(data);
    if (this.#state.at === "handshaking") return this.#receiveMessage2(this.#state.noise, data);
    if (this.#state.at === "open") return this.#receiveFrame(this.#state, data);
    this.#listener.frameIgnored("a frame arrived before the handshake");
  }

  /** The answer to a keepalive needs no action: `activity` was reported already. */
  #receiveText(text: string): void {
    const isKeepaliveAnswer = text === HEARTBEAT_RESPONSE && this.#keepalive !== null;
    if (!isKeepaliveAnswer) this.#listener.frameIgnored("unexpected text frame");
  }

  /** Message 2 proves the mesh's key; message 3, sent in answer, proves ours and carries the hello. */
  async #receiveMessage2(noise: NoiseState, data: Bytes): Promise<void> {
    const { keys } = this.#options.profile;
    const curve = await platformX25519();
    const read = await readNoise(curve, noise, keys, data);
    if (!read.ok) return this.#refuse("the server did not complete the Noise handshake");
    const remote = read.value.state.remoteStatic as Bytes;
    const provenKey = toHex(remote);
    if (provenKey !== this.#meshKey)
      return this.#refuse(`the server holds the key ${provenKey}, expected ${this.#meshKey}`);
    const hello = helloBytes(this.#options);
    const written = await writeNoise(curve, read.value.state, keys, NO_PAYLOAD, hello);
    const split = written.ok ? splitNoise(written.value.state) : null;
    if (!written.ok || split === null)
      return this.#socket.drop(CLOSE.handshake, "the Noise handshake could not be completed");
    this.#state = {
      at: "open",
      meshId: peerIdOf(remote),
      send: { key: split.send, counter: 0 },
      receive: { key: split.receive, counter: 0 },
    };
    this.#socket.sendFrame(written.value.message);
    this.#socket.handshakeDone();
    this.#keepalive = new Keepalive(this.#options.platform.random, () =>
      this.#socket.sendFrame(HEARTBEAT_REQUEST),
    );
    this.#listener.authenticated(provenKey);
  }

  async #receiveFrame(state: Extract<State, { at: "open" }>, data: Bytes): Promise<void> {
    const { maxFrame = FRAME_BYTES_MAX } = this.#options.profile;
    const opened = data.length > maxFrame ? null : openNext(state.receive, data);
    if (opened === null)
      return this.#socket.drop(CLOSE.bad, "a frame did not decrypt as the session's next one");
    state.receive = opened.next;
    const text = fromUtf8(opened.plaintext);
    const message = text === null ? null : readEnvelope(text);
    if (message === null || !message.ok)
      return this.#listener.frameIgnored("the message is not a valid envelope");
    if (!this.#socket.confirms(message.value)) this.#listener.message(message.value);
  }

  #refuse(message: string): void {
    const error = new PeerError("mesh_unproved", message);
    this.#socket.end({ kind: "refused", error }, CLOSE.handshake, error.code);
  }

  /** A WebSocket that is refused at its upgrade gives no reason; a GET of the same URL does. */
  async #onEnded(end: ConnectionEnd): Promise<void> {
    this.#keepalive?.stop();
    const { platform } = this.#options;
    const isRefusedUpgrade =
      this.#state.at === "opening" && this.#connectUrl !== "" && end.kind === "dropped";
    this.#listener.ended(
      isRefusedUpgrade
        ? await explainRefusedUpgrade(
            this.#options.url,
            this.#connectUrl,
            end,
            this.#meshKey ?? "",
            platform,
          )
        : end,
    );
  }
}

const NO_PAYLOAD: Bytes = new Uint8Array();
