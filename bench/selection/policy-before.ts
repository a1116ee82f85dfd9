import { DEFAULT_POLICY, type ExpectedCost } from "../../src/tasks/policy.ts";

const { failedLast: _, probeShare: __, serviceTimes: ___, ...REST } = DEFAULT_POLICY;

/** The default policy as it was before circuits, earned slots, and service times that fade. Bars compare with it. */
export const POLICY_BEFORE: ExpectedCost = { ...REST, prior: { successes: 8, failures: 0.3 } };
