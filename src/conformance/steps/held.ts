import { parseJson } from "../../base/json.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";

interface Held {
  readonly task_id?: unknown;
  readonly fence?: unknown;
}

/** The attempts that the hello of a session names as held. */
export function heldIn({ helloText }: MeshSession): readonly Held[] {
  const { held } = (parseJson(helloText) ?? {}) as { readonly held?: unknown };
  return Array.isArray(held) ? (held as readonly Held[]) : [];
}
