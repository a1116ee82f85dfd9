/** In an answer of a replica whose store did not confirm its directory at the last read: why (`unreachable`, `empty`, `refused`). */
export const STALE_HEADER = "Muster-Stale";
