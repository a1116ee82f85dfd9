import { z } from "zod";
import { CAPABILITIES_MAX, KINDS_PER_PEER_MAX } from "./constants.ts";
import { EVERY_KIND } from "./handled-kinds.ts";

export { EVERY_KIND, handlesKind } from "./handled-kinds.ts";

export const ROLES = ["controller", "worker", "dual"] as const;

export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

/** A label that describes what a peer can do, such as `gpu`, `arch=arm64` or `region:eu`. */
export const Capability = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,63}$/,
    "a capability is 1 to 64 letters, digits and . _ : / = + -",
  );
export const Capabilities = z.array(Capability).max(CAPABILITIES_MAX);

/**
 * A task's requirement on a peer's labels: `gpu` (a label of that name, with or without a value), `arch=arm64` (exactly
 * that label), or `memory_gib>=16` (a label with a numeric value for which the comparison holds; also `<=`, `>`, `<`).
 */
export const CapabilityRequirement = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}(?:=[A-Za-z0-9._:/=+-]{0,63}|(?:[<>]=?)-?\d{1,15}(?:\.\d{1,9})?)?$/,
    "a label's name, alone or with = and a value, or with >=, <=, > or < and a number",
  );

/** The type of a task, such as `sha256` or `go-p2p/get_stats`. A peer announces the kinds that it handles. */
export const TaskKind = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, "a kind is 1 to 64 letters, digits and . _ / -");

/** The kinds that a peer handles: a task of another kind is not offered to it. `*` stands for every kind. */
export const HandledKinds = z
  .array(z.union([z.literal(EVERY_KIND), TaskKind]))
  .max(KINDS_PER_PEER_MAX);
