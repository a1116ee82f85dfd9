import { CLOSE } from "../../protocol/close-codes.ts";
import { PeerError } from "../errors.ts";
import type { ConnectionEnd } from "./connection.ts";

/** The close code of a socket that failed without a closing handshake. */
export const ABNORMAL_CLOSURE = 1006;

/**
 * What a close code means for the peer. After 4403 (denied) and 4409 (superseded) the peer does not reconnect: the mesh
 * has barred it, or a newer session of the same key is active and reconnecting would end that session in turn.
 */
export function connectionEndOf(code: number, reason: string): ConnectionEnd {
  switch (code) {
    case CLOSE.normal:
      return reason.startsWith(DRAINED)
        ? { kind: "dismissed", reason }
        : { kind: "dropped", code, reason };
    case CLOSE.denied:
      return { kind: "refused", error: denialError(reason) };
    case CLOSE.superseded: {
      const message = withReason("a newer session of this key took over", reason);
      return { kind: "refused", error: new PeerError("superseded", message) };
    }
    default:
      return { kind: "dropped", code, reason };
  }
}

/** How the close reason of a session begins that ends with the drain of its peer. */
const DRAINED = "drained:";

/** The mesh's close reasons begin with an error code. */
function denialError(reason: string): PeerError {
  const [word = ""] = reason.split(":");
  const code = isDenial(word) ? word : "not_allowed";
  return new PeerError(code, withReason(DENIALS[code], reason));
}

const DENIALS = {
  not_allowed: "the mesh does not admit this peer",
  revoked: "the mesh has revoked this peer",
  rotated: "this key was replaced by a newer key of the peer",
  join_key_invalid: "the join key is unknown, expired, revoked or used up",
  downgrade_refused: "this key has connected by muster.2 and may not connect by go-p2p",
} as const;

const isDenial = (code: string): code is keyof typeof DENIALS => Object.hasOwn(DENIALS, code);

const withReason = (meaning: string, reason: string): string =>
  reason === "" ? meaning : `${meaning} (${reason})`;
