import { placeOfConcurrency } from "../../cells/placement.ts";
import { homeOf } from "../../cells/topology.ts";
import type { LaneTraits } from "../../registry/lanes.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Shape } from "../../registry/shape.ts";

/** The other cell that a task belongs to, because it names a peer or has a concurrency key; null if it may be here. */
export function placeElsewhere(
  { cells }: Pick<Registry, "cells">,
  { requirements }: Pick<Shape, "requirements">,
  { owner, concurrency }: Pick<LaneTraits, "owner" | "concurrency">,
): number | null {
  const { peer_id: named } = requirements;
  const key = named ?? (concurrency && placeOfConcurrency(owner, concurrency.key));
  if (key === null) return null;
  const home = homeOf(cells.topology, key);
  return home === cells.own ? null : home;
}

/**
 * Whether tasks of a concurrency key are counted in another cell, and so are never offered to peers here. A task that the other cell has
 * counted already has no key here (`TaskArrival.permit`).
 */
export function isCountedElsewhere(
  { cells }: Pick<Registry, "cells">,
  { owner, concurrency }: Pick<LaneTraits, "owner" | "concurrency">,
): boolean {
  if (concurrency === null || cells.isSingle) return false;
  return homeOf(cells.topology, placeOfConcurrency(owner, concurrency.key)) !== cells.own;
}
