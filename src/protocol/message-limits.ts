import { MINUTE, SECOND } from "../base/clock.ts";
import type { TokenRate } from "../base/token-bucket.ts";
import { ADVERT_INTERVAL, RTT_REPORT_INTERVAL } from "./constants.ts";
import type { MessageType } from "./messages.ts";

/**
 * How often one session may send the messages that cost the coordinator a command, perhaps row writes, and that an honest peer
 * sends rarely. The mesh refuses those above; the SDK sends none.
 */
export const MESSAGE_LIMITS = {
  rotate: { tokens: 1, per: MINUTE, max: 3 },
  advert: { tokens: 1, per: ADVERT_INTERVAL, max: 1 },
  announce: { tokens: 1, per: SECOND, max: 30 },
  rtts: { tokens: 1, per: RTT_REPORT_INTERVAL, max: 6 },
  drain: { tokens: 1, per: 10 * SECOND, max: 5 },
} as const satisfies Partial<Record<MessageType, TokenRate>>;

export type LimitedType = keyof typeof MESSAGE_LIMITS;

/**
 * Content events of one session, which are ignored: ten times what go-p2p's own nodes read. A session that sends more only costs
 * the mesh work, and is ended.
 */
export const CONTENT_EVENTS: TokenRate = { tokens: 500, per: SECOND, max: 1_000 };
