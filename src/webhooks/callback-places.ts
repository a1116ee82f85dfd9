import type { ReceiverHealth } from "./receiver-health.ts";

/** An attempt in progress. */
export interface CallbackPlace {
  /** Whose task's callback it is, as in `ownerKeyOf`. */
  readonly owner: string;
  readonly origin: string;
  readonly site: string;
  /** What was known of the receiver when the attempt began. */
  readonly health: ReceiverHealth;
}

/** Owners take turns for the places of each health: else a busy owner of healthy receivers would decide whose suspects are probed. */
export type LastOwners = { readonly [Health in ReceiverHealth]?: string };

interface Limits {
  /** Of all receivers of this health. */
  readonly total: number;
  /** Of the receivers of this health. */
  readonly perOwner: number;
  readonly perSite: number;
  /** Of one origin, whatever its health was when each attempt began. */
  readonly perOrigin: number;
}

/** Receivers that answer, are new, or do not answer have places of their own: none of the three waits for another. */
const LIMITS: { readonly [Health in ReceiverHealth]: Limits } = {
  healthy: { total: 16, perOwner: 8, perSite: Infinity, perOrigin: 4 },
  unknown: { total: 12, perOwner: 8, perSite: 4, perOrigin: 1 },
  suspect: { total: 4, perOwner: 2, perSite: 1, perOrigin: 1 },
};

/** Attempts in progress at once. */
export const CALLBACK_PLACES = LIMITS.healthy.total + LIMITS.unknown.total + LIMITS.suspect.total;

/** Who gets no further place. */
export interface TakenPlaces {
  readonly owners: readonly string[];
  readonly origins: readonly string[];
  readonly sites: readonly string[];
}

/** Who has as many attempts in progress as it may have; null if no further receiver of this health may have one. */
export function takenPlaces(
  health: ReceiverHealth,
  inProgress: readonly CallbackPlace[],
): TakenPlaces | null {
  const { total, perOwner, perSite, perOrigin } = LIMITS[health];
  const alike = inProgress.filter((place) => place.health === health);
  if (alike.length >= total) return null;
  return {
    owners: full(alike, ({ owner }) => owner, perOwner),
    origins: full(inProgress, ({ origin }) => origin, perOrigin),
    sites: full(alike, ({ site }) => site, perSite),
  };
}

/** Whether so many receivers that never answered are being tried that each gets less time. */
export const isCrowded = (inProgress: readonly CallbackPlace[]): boolean =>
  inProgress.filter(({ health }) => health === "unknown").length >= LIMITS.unknown.total / 2;

/** The keys that occur at least `limit` times. */
function full(
  places: readonly CallbackPlace[],
  keyOf: (place: CallbackPlace) => string,
  limit: number,
): string[] {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(keyOf(place), (counts.get(keyOf(place)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= limit).map(([key]) => key);
}
