import { CLOSE } from "../../protocol/errors.ts";
import { PeerError } from "../errors.ts";
import type { LinkEnd } from "./connection.ts";

/**
 * What a closed socket means for the peer. After 4403 and 4409 it stays away: it was sent away, or a newer session of
 * the same key took its place, and coming back would only start a quarrel between the two.
 */
export function linkEndOf(code: number, reason: string): LinkEnd {
  switch (code) {
    case CLOSE.denied:
      return { kind: "refused", error: denial(reason) };
    case CLOSE.superseded:
      return {
        kind: "refused",
        error: new PeerError("superseded", said("a newer session of this key took over", reason)),
      };
    default:
      return { kind: "dropped", code, reason };
  }
}

/** The mesh's close reasons begin with its error code. */
function denial(reason: string): PeerError {
  const [code = ""] = reason.split(":");
  return Object.hasOwn(DENIALS, code)
    ? new PeerError(
        code as keyof typeof DENIALS,
        said(DENIALS[code as keyof typeof DENIALS], reason),
      )
    : new PeerError("not_allowed", said(DENIALS.not_allowed, reason));
}

const DENIALS = {
  not_allowed: "the mesh does not admit this peer",
  revoked: "the mesh has revoked this peer",
  rotated: "this peer has another key now",
  join_key_invalid: "the mesh does not take this join key",
  downgrade_refused: "the mesh wants this key to speak muster.2",
} as const;

const said = (meaning: string, reason: string): string =>
  reason === "" ? meaning : `${meaning} (${reason})`;
