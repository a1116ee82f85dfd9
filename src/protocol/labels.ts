import { z } from "zod";
import { CAPABILITIES_MAX } from "./constants.ts";

export const ROLES = ["controller", "worker", "dual"] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

/** A label of what a peer can do, such as `gpu`, `arch=arm64` or `region:eu`. */
export const Capability = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,63}$/,
    "a capability is 1 to 64 letters, digits and . _ : / = + -",
  );
export const Capabilities = z.array(Capability).max(CAPABILITIES_MAX);

/**
 * What a task asks of a peer's labels: `gpu` (a label of that name, with a value or without), `arch=arm64` (that very
 * label), `memory_gib>=16` (a label whose value is a number that compares so; also `<=`, `>`, `<`).
 */
export const CapabilityRequirement = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}(?:=[A-Za-z0-9._:/=+-]{0,63}|(?:[<>]=?)-?\d{1,15}(?:\.\d{1,9})?)?$/,
    "a label's name, alone or with = and a value, or with >=, <=, > or < and a number",
  );

/** What a task is, such as `sha256` or `go-p2p/get_stats`. Peers handle tasks by kind. */
export const TaskKind = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, "a kind is 1 to 64 letters, digits and . _ / -");
