/**
 * A peer's lot in one draw, a 32-bit number: by FNV-1a over the draw and the ID, mixed by MurmurHash3's finaliser. Each
 * peer's lot stands by itself, so that neither the order of a list nor who else is in it changes who draws the least.
 */
export function tieBreakOf(peerId: string, draw: number): number {
  let hash = 0x811c9dc5 ^ Math.floor(draw * 2 ** 32);
  for (let i = 0; i < peerId.length; i++) {
    hash = Math.imul(hash ^ peerId.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
