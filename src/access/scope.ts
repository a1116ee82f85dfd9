import type { Scope } from "../protocol/http.ts";

/** The permission that a route requires of its caller. */
export type Need =
  /** Read everything that is not secret. */
  | "read"
  /** Read what a controller needs: peers, pointers, its own tasks. */
  | "read_work"
  /** Read the metrics, and how many tasks of a kind wait and run. */
  | "read_metrics"
  /** Submit tasks, and cancel the caller's own. */
  | "work"
  /** Manage access (peers, tokens, keys) and read the audit log. */
  | "administer";

const GRANTS: { readonly [S in Scope]: readonly Need[] } = {
  admin: ["read", "read_work", "read_metrics", "work", "administer"],
  controller: ["read_work", "work"],
  viewer: ["read", "read_work", "read_metrics"],
  metrics: ["read_metrics"],
};

/** Whether a token with this scope has the permission. */
export const permits = (scope: Scope, need: Need): boolean => GRANTS[scope].includes(need);

/** The owner whose tasks a caller may see: a controller's own token ID, or null (all tasks) for the other scopes. */
export const visibleOwner = ({
  scope,
  id,
}: {
  readonly scope: Scope;
  readonly id: string;
}): string | null => (scope === "controller" ? id : null);
