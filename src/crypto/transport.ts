import type { Bytes } from "../base/bytes.ts";
import { nonceBytes } from "./noise.ts";
import { chachaOpen, chachaSeal } from "./primitives.ts";

/**
 * One direction of a muster.2 session after the handshake: a key and the counter of the next frame (Noise §5.1). One
 * WebSocket frame is one transport message of up to 1 MiB, a deliberate departure from Noise's 65,535 bytes: the
 * sockets carry frames whole, and the cipher's own limit is far beyond.
 */
export interface Direction {
  readonly key: Bytes;
  readonly counter: number;
}

const NO_AAD = new Uint8Array();

/** Seals one frame, and the direction with its counter advanced: keep that before the frame is sent, or it is reused. */
export const sealNext = (
  direction: Direction,
  plaintext: Uint8Array,
): { readonly frame: Bytes; readonly next: Direction } => ({
  frame: chachaSeal(direction.key, nonceBytes(direction.counter), plaintext, NO_AAD),
  next: { ...direction, counter: direction.counter + 1 },
});

/** Opens the frame whose turn it is; null for one that is repeated, skipped, altered or from elsewhere. */
export function openNext(
  direction: Direction,
  frame: Uint8Array,
): { readonly plaintext: Bytes; readonly next: Direction } | null {
  const plaintext = chachaOpen(direction.key, nonceBytes(direction.counter), frame, NO_AAD);
  return plaintext === null
    ? null
    : { plaintext, next: { ...direction, counter: direction.counter + 1 } };
}
