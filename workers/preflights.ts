import { readConfig } from "../durable/config.ts";
import type { AppContext } from "./context.ts";
import type { GatewayMemory } from "./gateway-memory.ts";
import { addressOf } from "./request-address.ts";

/** Consumes one preflight of the caller's address, and returns the seconds to wait. A mesh that is not configured does nothing, and has no budgets. */
export const preflightBudget =
  (memory: GatewayMemory) =>
  (c: AppContext): number => {
    const now = Date.now();
    const config = readConfig(c.env, now);
    if (!config.ok) return 0;
    const { trustedProxies, perMinute } = config.value;
    const address = addressOf(c.req.raw, trustedProxies);
    return memory.limiter.consume("preflights", address, perMinute.preflights, now);
  };
