/** The text with one bit of one character changed; `at` may be any number. */
export function flipTextBit(text: string, at: number): string {
  const i = Math.floor(at / 8) % text.length;
  const flipped = String.fromCharCode(text.charCodeAt(i) ^ (1 << (at % 8)));
  return text.slice(0, i) + flipped + text.slice(i + 1);
}

/** The bytes with one bit changed; `at` may be any number. */
export function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = bytes.slice();
  const i = Math.floor(at / 8) % bytes.length;
  flipped[i] = (flipped[i] ?? 0) ^ (1 << (at % 8));
  return flipped;
}
