import { z } from "zod";
import { DEFAULT_THRESHOLDS, type AlertThresholds } from "../src/alerts/thresholds.ts";
import { MINUTE } from "../src/base/clock.ts";
import { readSignedDecimal } from "../src/base/number-text.ts";
import { QUEUE_MAX } from "../src/protocol/constants.ts";
import type { OutboundAllow } from "../src/protocol/outbound-allow.ts";
import { OUTBOUND_URL_CHARS_MAX, outboundUrl } from "../src/protocol/outbound-url.ts";

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
      const value = readSignedDecimal(text);
      if (value === null) context.addIssue("is neither a number nor off");
      else if (value < 0) context.addIssue("is below 0");
      else if (value > max) context.addIssue(`is above ${max}`);
      else return value === 0 ? null : value;
      return z.NEVER;
    });

const minutes = (initial: number | null) =>
  threshold(MINUTES_MAX, initial === null ? null : initial / MINUTE);
const percent = (initial: number | null) => threshold(100, initial === null ? null : initial * 100);

const WEBHOOKS_MAX = 5;

const WebhookList = z
  .string()
  .default("")
  .transform((text) => text.split(",").map((url) => url.trim()))
  .transform((urls) => [...new Set(urls.filter((url) => url !== ""))])
  .refine(
    (urls) => urls.length <= WEBHOOKS_MAX && urls.every(isWebhookUrl),
    `is not a list of at most ${WEBHOOKS_MAX} http or https URLs`,
  );

function isWebhookUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === "";
}

/**
 * Why an alert webhook may never be called, or null. By its entry alone: URLs of webhooks may be secrets.
 *
 * @param allowLoopback the value of ALLOW_LOOPBACK
 */
export function alertWebhookFault(
  urls: readonly string[],
  rules: { readonly allowLoopback: boolean; readonly allow: OutboundAllow },
): string | null {
  for (const [index, url] of urls.entries()) {
    const callable = outboundUrl(url, { schemes: ["https", "http"], ...rules });
    if (callable.ok) continue;
    const entry = `ALERT_WEBHOOKS has as entry ${index + 1} a URL that may not be called`;
    const { code } = callable.error;
    if (code === "address" || code === "name")
      return `${entry}: its host is not public; a private host needs an entry in OUTBOUND_ALLOW`;
    if (code === "port")
      return `${entry}: its port is that of another protocol; it needs an entry in OUTBOUND_ALLOW`;
    return `${entry}: a URL has at most ${OUTBOUND_URL_CHARS_MAX} characters, and no spaces, user name or password`;
  }
  return null;
}

/** The variables of alerts. */
export const AlertVariables = {
  ALERT_PEER_DOWN_MINUTES: minutes(DEFAULT_THRESHOLDS.peerDown),
  ALERT_MASS_FAILURE_PEERS: threshold(PEERS_MAX, DEFAULT_THRESHOLDS.massFailure),
  ALERT_CIRCUIT_OPEN_MINUTES: minutes(DEFAULT_THRESHOLDS.circuitOpen),
  ALERT_STORAGE_PERCENT: percent(DEFAULT_THRESHOLDS.storage),
  ALERT_QUEUE_OLD_MINUTES: minutes(DEFAULT_THRESHOLDS.queueOld),
  ALERT_QUEUE_LONG: threshold(QUEUE_MAX, DEFAULT_THRESHOLDS.queueLong),
  ALERT_CELL_DOWN_MINUTES: minutes(DEFAULT_THRESHOLDS.cellDown),
  ALERT_CELL_MESSAGES_MINUTES: minutes(DEFAULT_THRESHOLDS.cellMessages),
  ALERT_RESOLVE_MINUTES: minutes(DEFAULT_THRESHOLDS.resolveAfter),
  ALERT_WEBHOOKS: WebhookList,
};

type Variables = {
  readonly [Name in Exclude<keyof typeof AlertVariables, "ALERT_WEBHOOKS">]: number | null;
};

/** When alerts fire, by the variables. */
export const alertThresholds = (data: Variables): AlertThresholds => ({
  peerDown: time(data.ALERT_PEER_DOWN_MINUTES),
  massFailure: data.ALERT_MASS_FAILURE_PEERS,
  circuitOpen: time(data.ALERT_CIRCUIT_OPEN_MINUTES),
  storage: data.ALERT_STORAGE_PERCENT === null ? null : data.ALERT_STORAGE_PERCENT / 100,
  queueOld: time(data.ALERT_QUEUE_OLD_MINUTES),
  queueLong: data.ALERT_QUEUE_LONG,
  cellDown: time(data.ALERT_CELL_DOWN_MINUTES),
  cellMessages: time(data.ALERT_CELL_MESSAGES_MINUTES),
  // Turned off: an alert ends as soon as nothing is wrong.
  resolveAfter: time(data.ALERT_RESOLVE_MINUTES) ?? 0,
});

const time = (of: number | null): number | null => (of === null ? null : Math.round(of * MINUTE));
