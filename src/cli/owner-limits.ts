import type { OwnerLimitOptions } from "../client/index.ts";
import type { OwnerLimits } from "../protocol/http.ts";
import { countOption, numberOption, type Details } from "./args.ts";

/** The options of what the owner of tasks may have: the holder of a token, or an allowed peer. */
export const LIMIT_OPTIONS = {
  weight: { type: "string" },
  "max-waiting": { type: "string" },
  "max-running": { type: "string" },
  "max-priority": { type: "string" },
  "max-bytes": { type: "string" },
} as const;

export const LIMIT_DETAILS: Details = [
  [
    "--weight N",
    "LIMITS: the share of its tasks, compared with other owners, 1 to 100; default: 1",
  ],
  ["--max-waiting N", "how many of its tasks may be queued, or none for the default"],
  ["--max-running N", "how many of its tasks peers may have at once, or none"],
  ["--max-priority=N", "the highest priority that its tasks may have, or none"],
  ["--max-bytes N", "bytes of its tasks that have not ended, or none for the default"],
];

type Values = { readonly [Name in keyof typeof LIMIT_OPTIONS]?: string | undefined };

/** The limits that the options name. `none` removes one. */
export function ownerLimits(values: Values): OwnerLimitOptions {
  const weight = countOption("weight", values.weight);
  const maxWaiting = unlessNone(values["max-waiting"], (text) => countOption("max-waiting", text));
  const maxRunning = unlessNone(values["max-running"], (text) => countOption("max-running", text));
  const maxPriority = unlessNone(values["max-priority"], (text) =>
    numberOption("max-priority", text),
  );
  const maxBytes = unlessNone(values["max-bytes"], (text) => countOption("max-bytes", text));
  return {
    ...(weight !== undefined && { weight }),
    ...(maxWaiting !== undefined && { maxWaiting }),
    ...(maxRunning !== undefined && { maxRunning }),
    ...(maxPriority !== undefined && { maxPriority }),
    ...(maxBytes !== undefined && { maxBytes }),
  };
}

const unlessNone = (
  text: string | undefined,
  read: (text: string | undefined) => number | undefined,
): number | null | undefined => (text === "none" ? null : read(text));

/** Weight and limits in one line; limits that are not set are left out. */
export const limitsText = (limits: OwnerLimits): string =>
  Object.entries(limits)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
