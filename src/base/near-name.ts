import { editDistance } from "./edit-distance.ts";

/** A name without what people confuse in names: upper and lower case, `_`, `-` and `.`. */
const foldName = (name: string): string => name.toLowerCase().replaceAll(/[-_.\s]/g, "");

/** How many mistakes in a name of this length leave it recognizable. */
const tolerance = (name: string): number => (name.length < 3 ? 0 : name.length < 8 ? 1 : 2);

/** Longer names are compared no further: the distance takes as many steps as the product of both lengths. */
const NAME_CHARS_MAX = 64;

/** How far a name is from a known one, both folded; null if they are too different for one to be meant by the other. */
export function nameDistance(name: string, known: string): number | null {
  if (name.length > NAME_CHARS_MAX) return null;
  const [folded, other] = [foldName(name), foldName(known)];
  const distance = isTransposed(folded, other) ? 1 : editDistance(folded, other);
  return distance <= Math.min(tolerance(folded), tolerance(other)) ? distance : null;
}

/** Whether two names differ by two neighboring characters that are swapped: one mistake of a typist, but two edits. */
function isTransposed(a: string, b: string): boolean {
  let first = 0;
  while (first < a.length && a[first] === b[first]) first++;
  return (
    a.length === b.length &&
    a[first] === b[first + 1] &&
    a[first + 1] === b[first] &&
    a.slice(first + 2) === b.slice(first + 2) &&
    first < a.length
  );
}

/** The known name that a misspelled one most probably means; null if none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let nearest: { readonly name: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    const distance = nameDistance(name, candidate);
    if (distance !== null && (nearest === null || distance < nearest.distance))
      nearest = { name: candidate, distance };
  }
  return nearest?.name ?? null;
}
