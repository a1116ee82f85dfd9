import { toHex } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";

/** A version 4 UUID (RFC 9562 §5.4) from the given randomness. */
export function newUuid(random: RandomBytes): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const newOpaqueId = (random: RandomBytes): string => toHex(random(16));
