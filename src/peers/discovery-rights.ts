import type { AuthMode } from "../protocol/http.ts";

/**
 * Which peers are members, which find and open other peers' records: those on the allowlist, all admitted peers, or
 * none.
 */
export type DiscoveryMembers = "listed" | "all" | "none";

/** What the registry says about a holder of discovery keys now, whether it is connected, away, or has no record. */
export type HolderStanding =
  | { readonly type: "peer"; readonly denied: boolean; readonly listed: boolean }
  | { readonly type: "token"; readonly valid: boolean }
  /** The admin token. */
  | { readonly type: "operator" };

/** Whether an admitted peer is a member. */
export const isMember = (members: DiscoveryMembers, listed: boolean): boolean =>
  members === "all" || (members === "listed" && listed);

/** Whether a holder of discovery keys still has the right to them. A peer has it if it would be admitted, and as a member. */
export function mayHoldKeys(
  standing: HolderStanding,
  { mode, members }: { readonly mode: AuthMode; readonly members: DiscoveryMembers },
): boolean {
  switch (standing.type) {
    case "operator":
      return true;
    case "token":
      return standing.valid;
    case "peer": {
      const { denied, listed } = standing;
      return !denied && (mode === "open" || listed) && isMember(members, listed);
    }
    default:
      return standing satisfies never;
  }
}
