/**
 * A peer's tie-break number for one draw (32 bits): FNV-1a over the draw and the ID, mixed by the finalizer of
 * MurmurHash3. It depends only on the draw and the peer, so neither the order of a list nor the other peers in it
 * change which peer has the least number.
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
