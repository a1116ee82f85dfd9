/** Stands for every kind in what a peer announces. */
export const EVERY_KIND = "*";

/** Whether a peer that announces these kinds handles tasks of this kind. */
export const handlesKind = (kinds: readonly string[], kind: string): boolean =>
  kinds.includes(EVERY_KIND) || kinds.includes(kind);
