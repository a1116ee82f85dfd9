import { z } from "zod";
import { REQUEST_TIMEOUT_DEFAULT, REQUEST_TIMEOUT_MAX } from "../constants.ts";
import { ExactValue } from "../envelope.ts";
import { GO_P2P_REQUESTS } from "../messages.ts";

/** A go-p2p request to one peer. */
export const PeerRequest = z
  .strictObject({
    type: z.enum(GO_P2P_REQUESTS),
    payload: ExactValue.prefault(null),
    timeout_ms: z.int().min(1).max(REQUEST_TIMEOUT_MAX).default(REQUEST_TIMEOUT_DEFAULT),
  })
  .meta({ id: "PeerRequest" });
export type PeerRequest = z.infer<typeof PeerRequest>;

/** The peer's reply, unchanged. */
export const PeerReply = z
  .object({
    type: z
      .string()
      .meta({ description: "The reply's type; `error` if the peer refused the request" }),
    payload: ExactValue,
  })
  .meta({ id: "PeerReply" });
export type PeerReply = z.infer<typeof PeerReply>;
