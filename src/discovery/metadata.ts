import type { JsonObject } from "../base/json.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import type { PublicField, Region } from "../protocol/discovery.ts";
import type { PointerFilter } from "../protocol/http.ts";
import type { Role } from "../protocol/messages.ts";

/** A public combination that fewer peers share is made coarser. */
export const ANONYMITY_MIN = 5;

/** What could be public of a peer. */
export interface PeerAttributes {
  readonly role: Role;
  readonly capabilities: readonly string[];
  readonly region: Region | null;
  /** 0..1. */
  readonly score: number;
}

/** What is let go first when a combination is too rare: what says most of one peer and least of its use. */
const DROPPED_FIRST: readonly PublicField[] = ["score", "region", "capabilities", "role"];

/** What the operator lets be public of these facts; the score in tenths, rounded down. */
export function publicAttributes(
  facts: PeerAttributes,
  fields: readonly PublicField[],
): JsonObject {
  const open = (field: PublicField): boolean => fields.includes(field);
  return {
    ...(open("role") && { role: facts.role }),
    ...(open("capabilities") && { capabilities: facts.capabilities.toSorted() }),
    ...(open("region") && facts.region !== null && { region: facts.region }),
    ...(open("score") && { score: Math.floor(facts.score * 10) / 10 }),
  };
}

/**
 * The public metadata of each of many peers, in their order: as much of its details as at least `ANONYMITY_MIN` of them
 * show alike (k-anonymity, Sweeney 2002, by dropping whole attributes). Nothing at all is always common enough.
 */
export function kAnonymized(details: readonly JsonObject[]): readonly JsonObject[] {
  const shown: JsonObject[] = [...details];
  let open = details.map((_, index) => index);
  for (const field of [null, ...DROPPED_FIRST]) {
    for (const index of open) shown[index] = without(shown[index] as JsonObject, field);
    open = rare(open, shown);
  }
  return shown;
}

/** Those whose combination too few of them share. Whoever found company earlier is no company any more: it shows more. */
function rare(open: readonly number[], shown: readonly JsonObject[]): number[] {
  const groups = new Map<string, number[]>();
  for (const index of open) {
    const key = canonicalJson(shown[index] as JsonObject);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return [...groups.values()].filter(({ length }) => length < ANONYMITY_MIN).flat();
}

function without(details: JsonObject, field: PublicField | null): JsonObject {
  if (field === null || !(field in details)) return details;
  const { [field]: _, ...rest } = details;
  return rest;
}

/** Whether the public metadata leaves it possible that the peer is one that is looked for. */
export function mayMatch(metadata: JsonObject, filter: PointerFilter): boolean {
  const { role, capabilities, region, score } = metadata;
  const { min_score: minScore } = filter;
  return (
    (filter.role === undefined || role === undefined || role === filter.role) &&
    (filter.region === undefined || region === undefined || region === filter.region) &&
    (filter.capability === undefined ||
      !Array.isArray(capabilities) ||
      capabilities.includes(filter.capability)) &&
    // A score in tenths is rounded down: the peer's own may lie almost a tenth above.
    (minScore === undefined || typeof score !== "number" || score + 0.1 > minScore)
  );
}
