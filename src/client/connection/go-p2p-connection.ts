import type { Bytes } from "../../base/bytes.ts";
import type { Json } from "../../base/json.ts";
import { openFrame, sealFrame } from "../../crypto/session-cipher.ts";
import { FRAME_BYTES_MAX, VIOLATIONS_TOLERATED } from "../../protocol/constants.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { CLOSE } from "../../protocol/errors.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { MessageType, PayloadInput } from "../../protocol/messages.ts";
import { DialledSocket } from "./dialed-socket.ts";
import { checkAck, newHandshake, type ProvedMesh } from "./go-p2p-handshake.ts";
import type { Dial, DialOptions, Link, LinkListener } from "./connection.ts";
import { risingTimestamps } from "./timestamps.ts";
import { connectUrl } from "../urls.ts";

/** Dials a mesh by go-p2p 1.0: JSON handshake, then every message in an SMSG frame under the shared secret. */
export const dialGoP2p: Dial = (options, listener) => new GoP2pLink(options, listener);

type State =
  | { readonly at: "opening" }
  | { readonly at: "handshaking"; readonly challenge: Bytes }
  | { readonly at: "open"; readonly mesh: ProvedMesh };

class GoP2pLink implements Link {
  readonly #options: DialOptions;
  readonly #listener: LinkListener;
  readonly #timestamp: () => string;
  readonly #socket: DialledSocket;
  #state: State = { at: "opening" };
  #unreadable = 0;

  constructor(options: DialOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    this.#timestamp = risingTimestamps(options.platform.now);
    this.#socket = new DialledSocket(
      { opened: () => this.#greet(), frame: (data) => this.#take(data) },
      listener,
      options.platform.now,
    );
    this.#socket.dial(() => options.platform.openSocket(connectUrl(options.url)));
  }

  send<T extends MessageType>(type: T, payload: PayloadInput<T>, replyTo?: string): string | null {
    if (this.#state.at !== "open") return null;
    const { hello, platform } = this.#options;
    const { id: to, frameKey } = this.#state.mesh;
    const message: Envelope = {
      id: newUuid(platform.randomBytes),
      type,
      from: hello.keys.id,
      to,
      ts: this.#timestamp(),
      payload: payload as Json,
      ...(replyTo !== undefined && { replyTo }),
    };
    const frame = sealFrame(frameKey, message, platform.now(), platform.randomBytes);
    return this.#socket.send(frame) ? message.id : null;
  }

  close(code: number, reason: string): Promise<void> {
    return this.#socket.close(code, reason);
  }

  #greet(): void {
    const { hello, platform } = this.#options;
    const { text, challenge } = newHandshake(hello, this.#timestamp(), platform.randomBytes);
    this.#state = { at: "handshaking", challenge };
    this.#socket.send(text);
  }

  #take(data: string | Bytes): void {
    if (typeof data === "string" && this.#state.at === "handshaking") {
      this.#takeAck(data, this.#state.challenge);
    } else if (typeof data !== "string" && this.#state.at === "open") {
      this.#takeFrame(data, this.#state.mesh);
    } else {
      this.#listener.ignored(
        `a ${typeof data === "string" ? "text" : "binary"} frame out of place`,
      );
    }
  }

  #takeAck(text: string, challenge: Bytes): void {
    const { hello, meshKey } = this.#options;
    const mesh = checkAck(text, { hello, challenge, meshKey });
    if (!mesh.ok) {
      const reason = mesh.error.kind === "refused" ? mesh.error.error.code : mesh.error.reason;
      return this.#socket.end(mesh.error, CLOSE.handshake, reason);
    }
    this.#socket.settled();
    this.#state = { at: "open", mesh: mesh.value };
    this.#listener.opened(mesh.value.publicKey);
  }

  #takeFrame(frame: Bytes, mesh: ProvedMesh): void {
    if (frame.length > FRAME_BYTES_MAX) return this.#penalise("a frame above the size limit");
    const message = openFrame(mesh.frameKey, frame);
    if (!message.ok) return this.#penalise(message.error.detail);
    const { id, from, to, ts } = message.value;
    if (from !== mesh.id || to !== this.#options.hello.keys.id) {
      return this.#listener.ignored("a message between others");
    }
    if (!this.#options.seen.accept(id, millisOf(ts))) {
      return this.#listener.ignored("a message seen before");
    }
    this.#listener.message(message.value);
  }

  /** Garbage means that somebody tampers, or that the two sides disagree on the key: not for long. */
  #penalise(reason: string): void {
    this.#listener.ignored(reason);
    if (++this.#unreadable > VIOLATIONS_TOLERATED)
      this.#socket.drop(CLOSE.bad, "too many unreadable frames");
  }
}

/** Milliseconds of a `ts`; not every engine reads more than three digits of a second. */
const millisOf = (ts: string): number => Date.parse(ts.replace(/(\.\d{3})\d+/, "$1"));
