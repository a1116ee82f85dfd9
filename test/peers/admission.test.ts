import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit, type Standing } from "../../src/peers/admission.ts";
import { AUTH_MODES } from "../../src/protocol/http.ts";
import { ROLES, type Role } from "../../src/protocol/messages.ts";
import { must, mustFail } from "../must.ts";

const OPEN: Standing = { mode: "open", denied: null, allowedRoles: null, downgraded: false };
const listed = (...allowedRoles: Role[]): Standing => ({
  mode: "allowlist",
  denied: null,
  allowedRoles,
  downgraded: false,
});

const anyStanding = fc.record({
  mode: fc.constantFrom(...AUTH_MODES),
  denied: fc.constantFrom(null, "revoked" as const),
  allowedRoles: fc.option(fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1 })),
  downgraded: fc.constant(false),
});
const anyRole = fc.constantFrom(...ROLES);

/** What each claim comes to under each grant: the role recorded, and whether the peer may give tasks. */
const NARROWED: readonly (readonly [
  grant: readonly Role[],
  claimed: Role,
  outcome: readonly [Role, boolean] | "not_allowed",
])[] = [
  [["worker"], "worker", ["worker", false]],
  [["worker"], "dual", ["worker", false]],
  [["worker"], "controller", ["controller", false]],
  [["controller"], "worker", "not_allowed"],
  [["controller"], "dual", ["controller", true]],
  [["controller"], "controller", ["controller", true]],
  [["dual"], "worker", ["worker", false]],
  [["dual"], "dual", ["dual", true]],
  [["dual"], "controller", ["controller", true]],
  [["worker", "controller"], "worker", ["worker", false]],
  [["worker", "controller"], "dual", ["dual", true]],
  [["worker", "controller"], "controller", ["controller", true]],
];

describe("admission", () => {
  test("AD1 admits any key without a deny entry in mode open", () => {
    for (const role of ROLES) expect(admit(OPEN, role).ok).toBe(true);
  });

  test("AD1 admits only listed keys in mode allowlist", () => {
    expect(mustFail(admit({ ...OPEN, mode: "allowlist" }, "worker")).code).toBe("not_allowed");
    expect(admit(listed("worker"), "worker").ok).toBe(true);
  });

  test("AD1 refuses a revoked key whatever else is known about it", () => {
    fc.assert(
      fc.property(anyStanding, anyRole, (standing, role) => {
        expect(mustFail(admit({ ...standing, denied: "revoked" }, role)).code).toBe("revoked");
      }),
    );
  });

  test.each(ROLES)("AD2 grants only worker to an unlisted %s in mode open", (claimed) => {
    expect(admit(OPEN, claimed)).toEqual(admit(listed("worker"), claimed));
  });

  test.each(NARROWED)(
    "AD2 with the granted roles %j narrows the claim %s to %j",
    (grant, role, out) => {
      const admission = admit(listed(...grant), role);
      if (out === "not_allowed") expect(mustFail(admission).code).toBe(out);
      else expect(must(admission)).toEqual({ role: out[0], mayAssign: out[1] });
    },
  );

  test("AD2 never gives a peer more than it claimed or more than it was granted", () => {
    fc.assert(
      fc.property(anyStanding, anyRole, (standing, claimed) => {
        const admission = admit(standing, claimed);
        if (!admission.ok) return;
        const granted = standing.allowedRoles ?? ["worker"];
        const { role, mayAssign } = admission.value;
        if (role !== "controller") {
          expect(claimed).not.toBe("controller");
          expect(granted.some((one) => one !== "controller")).toBe(true);
        }
        if (mayAssign) {
          expect(claimed).not.toBe("worker");
          expect(granted.some((one) => one !== "worker")).toBe(true);
        }
      }),
    );
  });
});
