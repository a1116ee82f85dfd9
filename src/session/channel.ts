import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { writeJson } from "../base/json-text/write-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { openFrame, sealFrame, type FrameCipher } from "../crypto/session-cipher.ts";
import { openNext, sealNext, type Direction } from "../crypto/transport.ts";
import { type Envelope } from "../protocol/envelope.ts";
import { readEnvelope } from "../protocol/read-envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { checkAndRemember, type Freshness, type IdWindow } from "./id-window.ts";
import type { SessionContext } from "./context.ts";

/** How a session's messages become frames, by its protocol. Plain data: it is stored in the socket's attachment. */
export type Channel = GoP2pChannel | Muster2Channel;

export interface GoP2pChannel {
  readonly protocol: "go-p2p/1.0";
  /** Absent in a session from before generation 2 was spoken: read it by `generationOf`. */
  readonly generation?: GoP2pGeneration;
  /** Whether the peer reads `start_miner`'s config in base64, as late nodes of generation 2 do. */
  readonly encodesConfig?: boolean;
  /** Key of the frames. The same in both directions and in every session, hence the window against replay. */
  readonly key: Bytes;
  readonly window: IdWindow;
}

interface Muster2Channel {
  readonly protocol: "muster/2";
  readonly send: Direction;
  readonly receive: Direction;
}

/** The generation of go-p2p that a session speaks; null over muster.2. */
export const generationOf = (channel: Channel): GoP2pGeneration | null =>
  channel.protocol === "go-p2p/1.0" ? (channel.generation ?? 1) : null;

/** The cipher of a go-p2p session. */
export const cipherOf = ({ key, generation = 1 }: GoP2pChannel): FrameCipher => ({
  key,
  generation,
});

export interface Opened {
  readonly envelope: Envelope;
  readonly channel: Channel;
  readonly freshness: Freshness;
}

/** Decrypts one frame and reads its message; the error is `undecryptable` or `bad_message`. */
export function openFrom(channel: Channel, frame: Uint8Array): Result<Opened, SessionFault> {
  if (channel.protocol === "muster/2") {
    const opened = openNext(channel.receive, frame);
    if (opened === null)
      return err({
        code: "undecryptable",
        detail: "the frame is not the next one of this session, or was altered",
      });
    const text = fromUtf8(opened.plaintext);
    if (text === null) return err({ code: "bad_message", detail: "the message is not UTF-8" });
    const envelope = readEnvelope(text);
    // The counter rejects repeated frames: a frame that decrypts is fresh.
    return envelope.ok
      ? ok({
          envelope: envelope.value,
          channel: { ...channel, receive: opened.next },
          freshness: "fresh",
        })
      : envelope;
  }
  const envelope = openFrame(cipherOf(channel), frame);
  if (!envelope.ok) return envelope;
  const { id, ts } = envelope.value;
  const { freshness, window } = checkAndRemember(channel.window, id, Date.parse(ts));
  return ok({ envelope: envelope.value, channel: { ...channel, window }, freshness });
}

/** Encrypts one message. The returned channel must be saved before the frame is sent. */
export function sealInto(
  channel: Channel,
  envelope: Envelope,
  { now, randomBytes }: SessionContext,
): { readonly frame: Bytes; readonly channel: Channel } {
  if (channel.protocol === "go-p2p/1.0")
    return { frame: sealFrame(cipherOf(channel), envelope, now, randomBytes), channel };
  const sealed = sealNext(channel.send, utf8(writeJson(envelope)));
  return { frame: sealed.frame, channel: { ...channel, send: sealed.next } };
}
