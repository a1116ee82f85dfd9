import type { Bytes } from "../../base/bytes.ts";
import type { Json } from "../../base/json.ts";
import { openFirst, sealFirst } from "../../crypto/first-generation-cipher.ts";
import {
  FRAME_BYTES_MAX,
  HANDSHAKE_BYTES_MAX,
  VIOLATIONS_TOLERATED,
} from "../../protocol/constants.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import type { MessageType, PayloadInput } from "../../protocol/messages.ts";
import { connectUrl } from "../urls.ts";
import type { Connection, ConnectionListener, ConnectOptions, Dial } from "./connection.ts";
import { DialedSocket } from "./dialed-socket.ts";
import { checkAck, newHandshake, type ProvenMesh } from "./go-p2p-handshake.ts";
import { envelopeOf, type OutgoingMessage } from "./outgoing-message.ts";
import { risingTimestamps } from "./timestamps.ts";

/** Dials a mesh by go-p2p 1.0: a JSON handshake, then each message in an SMSG frame under the shared secret. */
export const dialGoP2p: Dial = (options, listener) => new GoP2pConnection(options, listener);

type State =
  | { readonly at: "opening" }
  | { readonly at: "handshaking"; readonly challenge: Bytes }
  | { readonly at: "open"; readonly mesh: ProvenMesh };

class GoP2pConnection implements Connection {
  readonly #options: ConnectOptions;
  readonly #listener: ConnectionListener;
  readonly #timestamp: () => string;
  readonly #socket: DialedSocket;
  #state: State = { at: "opening" };
  #unreadableFrames = 0;

  constructor(options: ConnectOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#timestamp = risingTimestamps(options.platform.now);
    this.#socket = new DialedSocket(
      {
        open: () => this.#sendHandshake(),
        frame: (data) => this.#receive(data),
        encode: (message) => this.#encode(message),
      },
      listener,
      options.platform,
    );
    this.#socket.dial(() => options.platform.openSocket(connectUrl(options.url)));
  }

  send<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    replyTo?: string,
    onSent?: () => void,
  ): string | null {
    if (this.#state.at !== "open") return null;
    return this.#socket.send({ type, payload: payload as Json, replyTo, onSent });
  }

  close(code: number, reason: string): Promise<void> {
    return this.#socket.close(code, reason);
  }

  #encode(message: OutgoingMessage): Bytes | null {
    if (this.#state.at !== "open") return null;
    const { profile, platform } = this.#options;
    const { id: to, frameKey } = this.#state.mesh;
    const envelope = envelopeOf(message, { from: profile.keys.id, to, ts: this.#timestamp() });
    return sealFirst(frameKey, envelope, platform.now(), platform.randomBytes);
  }

  #sendHandshake(): void {
    const { profile, platform } = this.#options;
    const { text, challenge } = newHandshake(profile, this.#timestamp(), platform.randomBytes);
    this.#state = { at: "handshaking", challenge };
    this.#socket.sendFrame(text);
  }

  #receive(data: string | Bytes): void {
    if (typeof data === "string" && this.#state.at === "handshaking") {
      this.#receiveAck(data, this.#state.challenge);
    } else if (typeof data !== "string" && this.#state.at === "open") {
      this.#receiveFrame(data, this.#state.mesh);
    } else {
      const form = typeof data === "string" ? "text" : "binary";
      this.#listener.frameIgnored(`unexpected ${form} frame`);
    }
  }

  #receiveAck(text: string, challenge: Bytes): void {
    if (text.length > HANDSHAKE_BYTES_MAX)
      return this.#socket.drop(CLOSE.handshake, "the answer to the handshake is too large");
    const { profile, meshKey } = this.#options;
    const mesh = checkAck(text, { profile, challenge, meshKey });
    if (!mesh.ok) {
      const reason = mesh.error.kind === "refused" ? mesh.error.error.code : mesh.error.reason;
      return this.#socket.end(mesh.error, CLOSE.handshake, reason);
    }
    this.#socket.handshakeDone();
    this.#state = { at: "open", mesh: mesh.value };
    this.#listener.authenticated(mesh.value.publicKey);
  }

  #receiveFrame(frame: Bytes, mesh: ProvenMesh): void {
    if (frame.length > FRAME_BYTES_MAX)
      return this.#countUnreadable("the frame is above the size limit");
    const message = openFirst(mesh.frameKey, frame);
    if (!message.ok) return this.#countUnreadable(message.error.detail);
    const { id, from, to, ts } = message.value.envelope;
    if (from !== mesh.id || to !== this.#options.profile.keys.id) {
      return this.#listener.frameIgnored("the message has another sender or addressee");
    }
    if (!this.#options.replayFilter.accept(id, millisOf(ts))) {
      return this.#listener.frameIgnored("the message is a replay");
    }
    if (!this.#socket.confirms(message.value.envelope))
      this.#listener.message(message.value.envelope);
  }

  /** Unreadable frames mean tampering, or different keys on the two sides: after a few, the connection is dropped. */
  #countUnreadable(reason: string): void {
    this.#listener.frameIgnored(reason);
    if (++this.#unreadableFrames > VIOLATIONS_TOLERATED)
      this.#socket.drop(CLOSE.bad, "too many unreadable frames");
  }
}

/** Milliseconds of a `ts`; some engines do not parse more than three decimals of a second. */
const millisOf = (ts: string): number => Date.parse(ts.replace(/(\.\d{3})\d+/, "$1"));
