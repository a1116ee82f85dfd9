import type { Millis } from "../base/clock.ts";
import type { AlertList } from "../protocol/http.ts";
import type { Answer } from "../webhooks/index.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** The alerts of the mesh, and the webhooks that are told of them. */
export interface AlertCommands {
  /** Those that fire now. */
  list_alerts: { caller: "gateway"; input: Empty; output: AlertList };
  /** The next request to an alert webhook that is due, to none of these receivers. */
  claim_alert: {
    caller: "mesh";
    input: { readonly inProgress: readonly string[] };
    output: { readonly request: AlertRequest | null };
  };
  alert_answered: {
    caller: "mesh";
    input: Pick<AlertRequest, "id" | "receiver"> & { readonly answer: Answer };
    output: Empty;
  };
}

export const ALERT_CALLERS: CallersOf<AlertCommands> = {
  list_alerts: "gateway",
  claim_alert: "mesh",
  alert_answered: "mesh",
};

/** A request to an alert webhook. */
export interface AlertRequest {
  readonly id: string;
  /** The URL as it is configured. */
  readonly receiver: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: Millis;
}
