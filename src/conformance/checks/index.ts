import type { Check } from "../check.ts";
import { HANDSHAKE_CHECKS } from "./handshake.ts";
import { HEARTBEAT_CHECKS } from "./heartbeats.ts";
import { HELLO_CHECKS } from "./hello.ts";
import { HOSTILE_CHECKS } from "./hostile.ts";
import { LIMIT_CHECKS } from "./limits.ts";
import { MAX_FRAME_CHECKS } from "./max-frame.ts";
import { MESSAGE_CHECKS } from "./messages.ts";
import { RECONNECT_CHECKS } from "./reconnect.ts";
import { RESULT_CHECKS } from "./results.ts";
import { SLOT_CHECKS } from "./slots.ts";
import { TASK_CHECKS } from "./tasks.ts";
import { UPLOAD_CHECKS } from "./uploads.ts";
import { URL_CHECKS } from "./url.ts";

/** The checks of a peer that speaks muster.2, in the order of docs/conformance.md. */
export const MUSTER_2_CHECKS: readonly Check[] = [
  ...URL_CHECKS,
  ...HANDSHAKE_CHECKS,
  ...HELLO_CHECKS,
  ...MESSAGE_CHECKS,
  ...TASK_CHECKS,
  ...SLOT_CHECKS,
  ...RESULT_CHECKS,
  ...RECONNECT_CHECKS,
  ...HEARTBEAT_CHECKS,
  ...LIMIT_CHECKS,
  ...UPLOAD_CHECKS,
  ...MAX_FRAME_CHECKS,
  ...HOSTILE_CHECKS,
];
