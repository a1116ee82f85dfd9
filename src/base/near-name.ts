import { editDistance } from "./edit-distance.ts";

/** A name without what people confuse in names: upper and lower case, `_`, `-` and `.`. */
const foldName = (name: string): string => name.toLowerCase().replaceAll(/[-_.\s]/g, "");

/** How many characters of a name of this length may be wrong for another one to be the name that was meant. */
const tolerance = (name: string): number => Math.min(3, Math.floor((name.length + 1) / 3));

/** Longer names are compared no further: the distance takes as many steps as the product of both lengths. */
const NAME_CHARS_MAX = 64;

/** How far a name is from a known one, both folded; null if they are too different for one to be meant by the other. */
function nameDistance(name: string, known: string): number | null {
  if (name.length > NAME_CHARS_MAX) return null;
  const [folded, other] = [foldName(name), foldName(known)];
  const distance = editDistance(folded, other);
  return distance <= Math.min(tolerance(folded), tolerance(other)) ? distance : null;
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
