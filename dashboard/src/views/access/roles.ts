import type { Role } from "../../../../src/protocol/messages.ts";

/** What a key may be, as it is offered. */
export const ROLE_OPTIONS = [
  ["worker", "Worker"],
  ["controller", "Controller"],
  ["dual", "Worker and controller"],
] as const;

/** The roles that a peer may take: one that may be both may be either. */
export const rolesOf = (role: string): readonly Role[] =>
  role === "dual" ? ["worker", "controller", "dual"] : [role as Role];
