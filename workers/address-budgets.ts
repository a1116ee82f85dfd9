import type { BudgetName } from "../src/access/address-limiter.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { AppContext } from "./context.ts";
import { countUnproved } from "./refusal-counts.ts";

/** Consumes one token of the caller's address. Null when that is allowed, else the error to answer with. */
export function limited(c: AppContext, budget: BudgetName, what: string): MusterError | null {
  const { memory, address, config } = c.var;
  const wait = memory.limiter.consume(budget, address, config.perMinute[budget], Date.now());
  if (wait === 0) return null;
  const detail = `too many ${what} from this address; wait for the time in Retry-After`;
  return { code: "rate_limited", detail, retryAfter: wait };
}

/**
 * The error of a request that proved nothing: its own, or `rate_limited` once its address has used up its budget. Call it
 * after the proof was checked: a right one is never refused because of wrong ones from the same address.
 */
export function failure(
  c: AppContext,
  budget: "authorizations" | "deliveries",
  error: MusterError,
): MusterError {
  const refusal = limited(c, budget, WHAT_FAILED[budget]) ?? error;
  // Refused deliveries are counted by their source.
  if (budget === "authorizations") countUnproved(c, refusal);
  return refusal;
}

const WHAT_FAILED = {
  authorizations: "requests without a valid token",
  deliveries: "deliveries without a valid signature",
} as const;
