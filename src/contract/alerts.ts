import type { AlertList } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** The alerts of the mesh. */
export interface AlertCommands {
  /** Those that fire now. */
  list_alerts: { caller: "gateway"; input: Empty; output: AlertList };
}

export const ALERT_CALLERS: CallersOf<AlertCommands> = { list_alerts: "gateway" };
