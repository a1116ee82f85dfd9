import type { Role } from "../protocol/messages.ts";

/** What a join key grants to a peer. */
export interface JoinGrant {
  readonly keyId: string;
  readonly label: string;
  readonly roles: readonly Role[];
}
