import type { Bytes } from "../base/bytes.ts";
import { nonceBytes } from "./noise.ts";
import { chachaOpen, chachaSeal } from "./primitives/chacha.ts";

/**
 * One direction of a muster.2 session after the handshake: its key and the counter of the next frame (Noise §5.1). One
 * WebSocket frame is one transport message of up to 1 MiB. This deliberately exceeds Noise's 65,535 bytes: WebSockets
 * preserve frame boundaries, and the cipher's own limit is far higher.
 */
export interface Direction {
  readonly key: Bytes;
  readonly counter: number;
}

const NO_AAD = new Uint8Array();

/** Seals one frame and increments the counter. Store `next` before sending the frame; otherwise the nonce could be reused. */
export const sealNext = (
  direction: Direction,
  plaintext: Uint8Array,
): { readonly frame: Bytes; readonly next: Direction } => ({
  frame: chachaSeal(direction.key, nonceBytes(direction.counter), plaintext, NO_AAD),
  next: { ...direction, counter: direction.counter + 1 },
});

/** Opens the next frame; null for a frame that is repeated, out of order, altered or sealed with another key. */
export function openNext(
  direction: Direction,
  frame: Uint8Array,
): { readonly plaintext: Bytes; readonly next: Direction } | null {
  const plaintext = chachaOpen(direction.key, nonceBytes(direction.counter), frame, NO_AAD);
  return plaintext === null
    ? null
    : { plaintext, next: { ...direction, counter: direction.counter + 1 } };
}
