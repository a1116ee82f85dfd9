import { z } from "zod";
import { DEFAULT_THRESHOLDS, type AlertThresholds } from "../src/alerts/thresholds.ts";
import { MINUTE } from "../src/base/clock.ts";
import { QUEUE_MAX } from "../src/protocol/constants.ts";

/** 30 days. */
const MINUTES_MAX = 43_200;
const PEERS_MAX = 1_000_000;

/** A number up to `max`; `off` or 0 turns the alert off, which is null. */
const threshold = (max: number, initial: number | null) =>
  z
    .string()
    .optional()
    .transform((text, context): number | null => {
      if (text === undefined) return initial;
      if (text === "off") return null;
      const value = text.trim() === "" ? Number.NaN : Number(text);
      if (Number.isNaN(value)) context.addIssue("is neither a number nor off");
      else if (value < 0) context.addIssue("is below 0");
      else if (value > max) context.addIssue(`is above ${max}`);
      else return value === 0 ? null : value;
      return z.NEVER;
    });

const minutes = (initial: number | null) =>
  threshold(MINUTES_MAX, initial === null ? null : initial / MINUTE);
const percent = (initial: number | null) => threshold(100, initial === null ? null : initial * 100);

/** The variables of alerts. */
export const AlertVariables = {
  ALERT_PEER_DOWN_MINUTES: minutes(DEFAULT_THRESHOLDS.peerDown),
  ALERT_MASS_FAILURE_PEERS: threshold(PEERS_MAX, DEFAULT_THRESHOLDS.massFailure),
  ALERT_CIRCUIT_OPEN_MINUTES: minutes(DEFAULT_THRESHOLDS.circuitOpen),
  ALERT_STORAGE_PERCENT: percent(DEFAULT_THRESHOLDS.storage),
  ALERT_QUEUE_OLD_MINUTES: minutes(DEFAULT_THRESHOLDS.queueOld),
  ALERT_QUEUE_LONG: threshold(QUEUE_MAX, DEFAULT_THRESHOLDS.queueLong),
  ALERT_RESOLVE_MINUTES: minutes(DEFAULT_THRESHOLDS.resolveAfter),
};

type Variables = {
  readonly [Name in keyof typeof AlertVariables]: number | null;
};

/** When alerts fire, by the variables. */
export const alertThresholds = (data: Variables): AlertThresholds => ({
  peerDown: time(data.ALERT_PEER_DOWN_MINUTES),
  massFailure: data.ALERT_MASS_FAILURE_PEERS,
  circuitOpen: time(data.ALERT_CIRCUIT_OPEN_MINUTES),
  storage: data.ALERT_STORAGE_PERCENT === null ? null : data.ALERT_STORAGE_PERCENT / 100,
  queueOld: time(data.ALERT_QUEUE_OLD_MINUTES),
  queueLong: data.ALERT_QUEUE_LONG,
  // Turned off: an alert ends as soon as nothing is wrong.
  resolveAfter: time(data.ALERT_RESOLVE_MINUTES) ?? 0,
});

const time = (of: number | null): number | null => (of === null ? null : Math.round(of * MINUTE));
