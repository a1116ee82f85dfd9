import type { Scope } from "../protocol/http.ts";

/** What a route lets its callers do. */
export type Need =
  /** Look at anything that is no secret. */
  | "read"
  /** Look at what a controller works with: peers, pointers, its own tasks. */
  | "read_work"
  /** Give tasks, and cancel one's own. */
  | "work"
  /** Change who may do what, and see who did. */
  | "administer";

const GRANTS: { readonly [S in Scope]: readonly Need[] } = {
  admin: ["read", "read_work", "work", "administer"],
  controller: ["read_work", "work"],
  viewer: ["read", "read_work"],
};

export const permits = (scope: Scope, need: Need): boolean => GRANTS[scope].includes(need);

/** Whose tasks a caller sees: a controller its own (by its token's ID), others all (null). */
export const visibleOwner = ({
  scope,
  id,
}: {
  readonly scope: Scope;
  readonly id: string;
}): string | null => (scope === "controller" ? id : null);
