import { fromUtf8, utf8, type Bytes } from "../../base/bytes.ts";
import type { Millis, RandomBytes } from "../../base/clock.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import type { TransportKeys } from "../../crypto/noise.ts";
import { openFrame, sealFrame, type FrameCipher } from "../../crypto/session-cipher.ts";
import { openNext, sealNext, type Direction } from "../../crypto/transport.ts";
import type { Envelope } from "../../protocol/envelope.ts";

/** How the messages of a session become frames. */
export interface Channel {
  /** Seals the JSON of a message, or other bytes, as the next frame. */
  seal(plain: Uint8Array): Bytes;
  /** The JSON in the next frame of the other side; null if the frame does not open. */
  open(frame: Bytes): Bytes | null;
}

/** muster.2: each direction has a key and a counter. */
export function noiseChannel(keys: TransportKeys): Channel {
  let send: Direction = { key: keys.send, counter: 0 };
  let receive: Direction = { key: keys.receive, counter: 0 };
  return {
    seal: (plain) => {
      const { frame, next } = sealNext(send, plain);
      send = next;
      return frame;
    },
    open: (frame) => {
      const opened = openNext(receive, frame);
      if (opened === null) return null;
      receive = opened.next;
      return opened.plaintext;
    },
  };
}

/** go-p2p: one key for both directions. */
export const goP2pChannel = (
  cipher: FrameCipher,
  now: () => Millis,
  random: RandomBytes,
): Channel => ({
  seal: (plain) =>
    sealFrame(cipher, JSON.parse(fromUtf8(plain) ?? "null") as Envelope, now(), random),
  open: (frame) => {
    const opened = openFrame(cipher, frame);
    return opened.ok ? utf8(writeJson(opened.value)) : null;
  },
});
