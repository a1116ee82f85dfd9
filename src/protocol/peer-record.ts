import type { z } from "zod";
import { Region } from "./discovery.ts";
import { PeerView } from "./http.ts";
import { Capabilities, EVERY_KIND, HandledKinds } from "./labels.ts";

/**
 * A peer's record in a blob: a form with one field per attribute, named after it. The field's `type` is `text`, `datetime`
 * (RFC 3339), `number` (as in JSON), `boolean` (`true`, `false`), `list` (separated by commas) or `region`. An empty
 * value of a `datetime`, a `number` or a `region` is null: not known.
 */
export const PeerRecord = PeerView.pick({
  id: true,
  name: true,
  public_key: true,
  address: true,
  role: true,
  added_at: true,
  last_seen: true,
  ping_ms: true,
  hops: true,
  geo_km: true,
  score: true,
  connected: true,
}).extend({
  capabilities: Capabilities.default([]),
  /** A record of an older mesh does not have them: then every kind. */
  kinds: HandledKinds.default([EVERY_KIND]),
  region: Region.nullable().default(null),
});
export type PeerRecord = z.infer<typeof PeerRecord>;
