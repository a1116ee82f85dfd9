import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { AuthMode } from "../protocol/http.ts";
import type { Role } from "../protocol/messages.ts";

/** What the registry knows of a proved key when it decides about it. */
export interface Standing {
  readonly mode: AuthMode;
  /** The key has a deny entry, which holds in every mode: it was revoked, or its peer has taken another. */
  readonly denied: "revoked" | "rotated" | null;
  /** Roles of the key's allowlist entry; null when there is none. */
  readonly allowedRoles: readonly Role[] | null;
  /** The key has proved itself by muster.2 before, comes by 1.0 now, and was not allowed to. */
  readonly downgraded: boolean;
}

export interface Admission {
  /** The role that the registry records: what the peer claimed, narrowed to what it may have. */
  readonly role: Role;
  /** Whether the peer may give tasks over its socket. */
  readonly mayAssign: boolean;
}

/**
 * Decides by the proved key alone. A claimed role only narrows: open mode grants worker, an entry grants its roles.
 * A peer that claims controller without the grant is let in and takes no work, but gives none over its socket either.
 */
export function admit(standing: Standing, claimed: Role): Result<Admission, SessionFault> {
  if (standing.denied === "revoked")
    return err({ code: "revoked", detail: "this key was revoked" });
  if (standing.denied === "rotated") {
    return err({ code: "rotated", detail: "the peer of this key has another one now" });
  }
  if (standing.downgraded) {
    return err({
      code: "downgrade_refused",
      detail:
        "this key has spoken muster.2; the operator may allow it go-p2p 1.0 by its allowlist entry",
    });
  }
  if (standing.mode === "allowlist" && standing.allowedRoles === null) {
    return err({ code: "not_allowed", detail: "this key is not on the allowlist" });
  }
  const granted = standing.allowedRoles ?? ["worker"];
  const mayWork = claimed !== "controller" && granted.some((role) => role !== "controller");
  const mayAssign = claimed !== "worker" && granted.some((role) => role !== "worker");
  if (mayWork) return ok({ role: mayAssign ? "dual" : "worker", mayAssign });
  if (claimed === "worker") {
    return err({ code: "not_allowed", detail: "this key may not be a worker" });
  }
  return ok({ role: "controller", mayAssign });
}
