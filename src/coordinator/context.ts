import type { Millis, Random, RandomBytes } from "../base/clock.ts";
import type { AuthMode } from "../protocol/http.ts";
import type { Place } from "../base/place.ts";
import type { Registry } from "../registry/registry.ts";
import type { Effect } from "./effects.ts";

/** What the operator configured, as the coordinator needs it. */
export interface CoordinatorConfig {
  /** Holds until PUT /v1/auth-mode says otherwise. */
  readonly authMode: AuthMode;
  /** Where the mesh is, for distances; null when not configured. */
  readonly place: Place | null;
}

/** What every command works on. Handlers read and write the registry and push what shall happen after the commit. */
export interface Context {
  readonly registry: Registry;
  readonly config: CoordinatorConfig;
  readonly now: Millis;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  readonly effects: Effect[];
}

export const authMode = ({ registry, config }: Context): AuthMode =>
  registry.settings.authMode() ?? config.authMode;
