import { z } from "zod";
import { Name, OpaqueId, PeerId, PublicKeyHex } from "../ids.ts";
import { OUTBOUND_URL_CHARS_MAX } from "../outbound-url.ts";
import { Time } from "./page.ts";

export const DIAL_STATES = [
  "waiting",
  "queued",
  "dialling",
  "connected",
  "resting",
  "barred",
] as const;
export const DialState = z.enum(DIAL_STATES).meta({
  description:
    "`waiting` until next_at; `queued`: due, but the limit of concurrent dials is reached; `dialling`; `connected`: the session that the dial opened is active; `resting`: the peer is connected by a session that it opened itself; `barred`: the mesh would refuse its key",
});
export type DialState = z.infer<typeof DialState>;

export const DialBody = z
  .strictObject({
    url: z.string().max(OUTBOUND_URL_CHARS_MAX).meta({
      description: "The address on which the peer listens: ws:// or wss://, without a query",
      example: "wss://peer.example:9091/ws",
    }),
    public_key: PublicKeyHex.optional().meta({
      description:
        "The only key accepted at this address; default: the first key that is proved there",
    }),
    name: Name.default("").meta({ description: "A label for people" }),
  })
  .meta({ id: "DialRequest" });
export type DialBody = z.infer<typeof DialBody>;

export const DialView = z
  .object({
    id: OpaqueId,
    url: z.string(),
    name: z.string(),
    public_key: PublicKeyHex.nullable().meta({
      description: "The only key accepted at this address; null until one is set or proved",
    }),
    peer_id: PeerId.nullable(),
    state: DialState,
    since: Time.meta({ description: "When it entered this state" }),
    next_at: Time.nullable().meta({
      description: "When the mesh dials it next; null if that depends on other events",
    }),
    attempts: z.int(),
    failures: z.int().meta({ description: "Consecutive failures" }),
    last_error: z.string().nullable(),
    added_at: Time,
    added_by: z.string().meta({ description: "`admin`, or `token:` and an ID" }),
  })
  .meta({ id: "Dial" });
export type DialView = z.infer<typeof DialView>;
export const DialList = z.object({ dials: z.array(DialView) }).meta({ id: "DialList" });
