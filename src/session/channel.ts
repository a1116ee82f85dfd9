import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { writeJson } from "../base/json-text/write-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { openFrame, sealFrame, type FrameCipher } from "../crypto/session-cipher.ts";
import { TAG_BYTES } from "../crypto/primitives/chacha.ts";
import { openNext, sealNext, type Direction } from "../crypto/transport.ts";
import { FRAME_BYTES_MAX } from "../protocol/constants.ts";
import { cutTexts } from "../protocol/cut-texts.ts";
import { type Envelope } from "../protocol/envelope.ts";
import { readEnvelope } from "../protocol/read-envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { checkAndRemember, type Freshness, type IdWindow } from "./id-window.ts";
import type { SessionContext } from "./context.ts";
import type { OutboundMessage } from "./outbound-message.ts";

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
  /** The largest frame that the peer takes, in bytes; `FRAME_BYTES_MAX` when absent. */
  readonly maxFrame?: number;
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

/**
 * Encrypts one message. The returned channel must be saved before the frame is sent. Over muster.2 no frame is larger than the peer
 * takes; a message that can't be made short enough (none is known) is not sent, because its frame would end the session.
 */
export function sealInto(
  channel: Channel,
  message: OutboundMessage,
  { now, randomBytes }: SessionContext,
): { readonly frame: Bytes | null; readonly channel: Channel } {
  if (channel.protocol === "go-p2p/1.0")
    return { frame: sealFrame(cipherOf(channel), message.envelope, now, randomBytes), channel };
  const plaintext = fittingPlaintext(channel, message);
  if (plaintext === null) return { frame: null, channel };
  const sealed = sealNext(channel.send, plaintext);
  return { frame: sealed.frame, channel: { ...channel, send: sealed.next } };
}

const plaintextOf = (envelope: Envelope): Bytes => utf8(writeJson(envelope));

const plaintextBytesMax = ({ maxFrame = FRAME_BYTES_MAX }: Muster2Channel): number =>
  maxFrame - TAG_BYTES;

/** Whether a message can be sent as it is. Over go-p2p the limits of payloads hold instead. */
export const fitsFrame = (channel: Channel, envelope: Envelope): boolean =>
  channel.protocol === "go-p2p/1.0" || plaintextOf(envelope).length <= plaintextBytesMax(channel);

function fittingPlaintext(
  channel: Muster2Channel,
  { envelope, shorten = () => cutTexts(envelope.payload) }: OutboundMessage,
): Bytes | null {
  const max = plaintextBytesMax(channel);
  const whole = plaintextOf(envelope);
  if (whole.length <= max) return whole;
  const rest = plaintextOf({ ...envelope, payload: "" }).length - QUOTES;
  const shorter = plaintextOf({ ...envelope, payload: shorten(max - rest) });
  return shorter.length <= max ? shorter : null;
}

/** The bytes of an empty text in JSON. */
const QUOTES = 2;
