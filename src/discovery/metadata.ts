import type { JsonObject } from "../base/json.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import type { PublicField, Region } from "../protocol/discovery.ts";
import type { PointerFilter } from "../protocol/http.ts";
import { handlesKind, type Role } from "../protocol/messages.ts";

/** A combination of public attributes that fewer peers share is reduced. */
export const ANONYMITY_MIN = 5;

/** The attributes of a peer that an operator can make public. */
export interface PeerAttributes {
  readonly role: Role;
  readonly capabilities: readonly string[];
  readonly kinds: readonly string[];
  readonly region: Region | null;
  /** 0 to 1. */
  readonly score: number;
}

/** The order in which attributes are dropped from a rare combination: the most identifying and least useful first. */
const DROPPED_FIRST: readonly PublicField[] = ["score", "region", "capabilities", "kinds", "role"];

/** The attributes that the operator makes public; the score is rounded down to tenths. */
export function publicAttributes(
  facts: PeerAttributes,
  fields: readonly PublicField[],
): JsonObject {
  const open = (field: PublicField): boolean => fields.includes(field);
  return {
    ...(open("role") && { role: facts.role }),
    ...(open("capabilities") && { capabilities: facts.capabilities.toSorted() }),
    ...(open("kinds") && { kinds: facts.kinds.toSorted() }),
    ...(open("region") && facts.region !== null && { region: facts.region }),
    ...(open("score") && { score: Math.floor(facts.score * 10) / 10 }),
  };
}

/**
 * The public metadata of each peer, in the given order: its attributes, reduced until at least `ANONYMITY_MIN` peers show
 * the same combination (k-anonymity, Sweeney 2002, by dropping whole attributes). Empty metadata is always allowed.
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

/** The peers of `open` whose combination is too rare. Peers that were settled earlier don't count: they show more attributes. */
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

/** Whether a peer with this public metadata can match the filter. An attribute that is not public matches everything. */
export function mayMatch(metadata: JsonObject, filter: PointerFilter): boolean {
  const { role, capabilities, kinds, region, score } = metadata;
  const { min_score: minScore } = filter;
  return (
    (filter.role === undefined || role === undefined || role === filter.role) &&
    (filter.region === undefined || region === undefined || region === filter.region) &&
    (filter.capability === undefined ||
      !Array.isArray(capabilities) ||
      capabilities.includes(filter.capability)) &&
    (filter.kind === undefined || !isKinds(kinds) || handlesKind(kinds, filter.kind)) &&
    // The public score is rounded down: the real score can be up to a tenth higher.
    (minScore === undefined || typeof score !== "number" || score + 0.1 > minScore)
  );
}

const isKinds = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
