import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { verifyChallengeAnswer } from "../crypto/challenge.ts";
import { CHALLENGE_BYTES, GO_P2P_VERSION } from "../protocol/constants.ts";
import { firstIssue, type Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { readGoP2pEnvelope } from "../protocol/go-p2p-envelope.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { HandshakeAck } from "../protocol/messages.ts";
import type { Move } from "./effects.ts";
import {
  requestProof,
  cleartext,
  handshakeFault,
  ownIdentity,
  readIdentity,
  type ProvisionalPeer,
} from "./handshake-identity.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { compose } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Dialing, Origin } from "./state.ts";

/** The session of a socket that the mesh opened to a peer that listens. */
export const newDialedSession = (origin: Origin, expectedKey: string | null): Dialing => ({
  state: "dialing",
  origin,
  expectedKey,
  challenge: null,
});

/**
 * The socket is open: sends the handshake, as the side that dialed does, in a form that both generations read. `to` is empty: the peer's
 * ID is unknown, and go-p2p ignores it here.
 */
export function sendHandshake(session: Dialing, context: SessionContext): Move {
  const challenge = context.randomBytes(CHALLENGE_BYTES);
  const handshake = compose(context, "", "handshake", {
    identity: ownIdentity(context),
    challenge: toBase64(challenge),
    version: GO_P2P_VERSION,
  });
  return stay({ ...session, challenge }, cleartext(handshake, "both"));
}

/**
 * The peer's answer to the mesh's handshake. An answered challenge proves little, because it may be relayed from elsewhere:
 * the ping follows as in every other session, and its pong decides.
 */
export function receiveAck(session: Dialing, data: string | Bytes, context: SessionContext): Move {
  if (typeof data !== "string") {
    return end(session, { code: "bad_message", detail: "a handshake_ack must be a text frame" });
  }
  const read = readGoP2pEnvelope(data);
  if (!read.ok) return end(session, read.error);
  const checked = checkAck(session, read.value.envelope, context);
  if (!checked.ok) return end(session, checked.error);
  return requestProof(session.origin, checked.value, checked.value.generation, context);
}

interface CheckedAck extends ProvisionalPeer {
  /** The one whose MAC the ack has. */
  readonly generation: GoP2pGeneration;
}

function checkAck(
  { challenge, expectedKey }: Dialing,
  envelope: Envelope,
  context: SessionContext,
): Result<CheckedAck, SessionFault> {
  if (envelope.type !== "handshake_ack" || challenge === null)
    return err({ code: "out_of_place", detail: "the first message must be a handshake_ack" });
  const ack = HandshakeAck.safeParse(envelope.payload);
  if (!ack.success) return err(handshakeFault(firstIssue(ack.error), ack.error.issues[0]?.path));
  const { identity, accepted, reason, challengeResponse } = ack.data;
  if (!accepted)
    return err({
      code: "dial_refused",
      detail: `the peer refused: ${reason ?? "no reason given"}`,
    });
  const introduced = readIdentity(identity, envelope, context);
  if (!introduced.ok) return introduced;
  const { claim, secret } = introduced.value;
  if (expectedKey !== null && claim.publicKey !== expectedKey)
    return err({
      code: "identity_mismatch",
      detail: "the peer at this address has another key than the registered one",
    });
  if ((challengeResponse ?? "") === "")
    return err({
      code: "proof_failed",
      detail:
        "the peer did not answer the challenge, as go-p2p before its first release (2025-12-31): update the node",
    });
  const response = fromBase64(challengeResponse ?? "");
  const generation = response === null ? null : generationOfAnswer(secret, challenge, response);
  if (generation === null)
    return err({ code: "proof_failed", detail: "the answer to the challenge is wrong" });
  return ok({ ...introduced.value, generation });
}

/** The generation that answers the challenge so; null when neither does. */
function generationOfAnswer(
  secret: Bytes,
  challenge: Bytes,
  response: Bytes,
): GoP2pGeneration | null {
  if (verifyChallengeAnswer(secret, challenge, response, 1)) return 1;
  return verifyChallengeAnswer(secret, challenge, response, 2) ? 2 : null;
}
