import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { AuthMode } from "../protocol/http.ts";
import type { Role } from "../protocol/messages.ts";

/** What the registry knows about a proved key when it decides about its admission. */
export interface Standing {
  readonly mode: AuthMode;
  /**
   * Set when the key has a deny entry, which holds in every mode: it was revoked, or its peer rotated to another key.
   */
  readonly denied: "revoked" | "rotated" | null;
  /** Roles of the key's allowlist entry; null when there is none. */
  readonly allowedRoles: readonly Role[] | null;
  /** Whether the key has spoken muster.2 before, uses go-p2p 1.0 now, and its allowlist entry does not permit that. */
  readonly downgraded: boolean;
}

export interface Admission {
  /** The role that the registry records: the claimed role, narrowed to what the peer is granted. */
  readonly role: Role;
  /** Whether the peer may submit tasks over its session. */
  readonly mayAssign: boolean;
}

/**
 * Decides by the proved key alone. A claimed role only narrows what is granted: open mode grants worker, an allowlist
 * entry grants its roles. A peer that claims controller without the grant is admitted, gets no tasks and may submit
 * none.
 */
export function admit(standing: Standing, claimed: Role): Result<Admission, SessionFault> {
  if (standing.denied === "revoked")
    return err({ code: "revoked", detail: "this key was revoked" });
  if (standing.denied === "rotated") {
    return err({ code: "rotated", detail: "the peer has rotated to another key" });
  }
  if (standing.downgraded) {
    return err({
      code: "downgrade_refused",
      detail:
        "this key has spoken muster.2 and may not use go-p2p 1.0, unless the operator sets go_p2p in its allowlist entry",
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
    return err({
      code: "not_allowed",
      detail: "this key's allowlist entry does not grant the role worker",
    });
  }
  return ok({ role: "controller", mayAssign });
}
