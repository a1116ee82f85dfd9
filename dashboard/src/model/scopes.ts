import type { Scope } from "../../../src/protocol/http.ts";

const TEXTS: Readonly<Record<Scope, string>> = {
  viewer: "Viewer: reads",
  controller: "Controller: submits tasks, sees its own",
  metrics: "Metrics: reads figures for monitoring, nothing else",
  admin: "Administrator: may do everything",
};

/** The scopes that a new token may have, as they are offered. */
export const SCOPE_OPTIONS = Object.entries(TEXTS);
