import { GATEWAY_CHECKS } from "./gateway-checks.ts";
import { SERVER_HANDSHAKE_CHECKS } from "./handshake-checks.ts";
import type { ServerCheck } from "./server-bench.ts";
import { SESSION_CHECKS } from "./session-checks.ts";
import { SERVER_TASK_CHECKS } from "./task-checks.ts";

/** The checks of a mesh that speaks muster.2. */
export const SERVER_CHECKS: readonly ServerCheck[] = [
  ...GATEWAY_CHECKS,
  ...SERVER_HANDSHAKE_CHECKS,
  ...SESSION_CHECKS,
  ...SERVER_TASK_CHECKS,
];
