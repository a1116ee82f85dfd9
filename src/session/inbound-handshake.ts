import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { answerChallenge } from "../crypto/challenge.ts";
import { GO_P2P_VERSION } from "../protocol/constants.ts";
import { firstIssue, readEnvelope, type Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { Handshake } from "../protocol/messages.ts";
import type { Intent, Move } from "./effects.ts";
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
import type { Greeting } from "./state.ts";

/**
 * The first frame: go-p2p's handshake, in cleartext. It is acknowledged with the answer to its challenge, which proves the
 * mesh's key to the peer, and followed at once by an encrypted ping, whose pong will prove the peer's key to the mesh. The
 * allowlist is not checked yet: otherwise the ack would tell anybody which keys are on it.
 */
export function receiveHandshake(
  session: Greeting,
  data: string | Bytes,
  context: SessionContext,
): Move {
  if (typeof data !== "string")
    return end(session, {
      code: "bad_message",
      detail: "the first frame must be a handshake in a text frame",
    });
  const envelope = readEnvelope(data);
  if (!envelope.ok) return end(session, envelope.error);
  if (envelope.value.type !== "handshake") {
    return end(session, {
      code: "out_of_place",
      detail: `the first message must be a handshake, not ${envelope.value.type}`,
    });
  }
  const checked = checkHandshake(envelope.value, context);
  if (!checked.ok)
    return end(session, checked.error, rejection(envelope.value, checked.error, context));
  const { claim, secret, challenge } = checked.value;
  const ack = cleartext(
    compose(
      context,
      claim.peerId,
      "handshake_ack",
      {
        identity: ownIdentity(context),
        challengeResponse: toBase64(answerChallenge(secret, challenge)),
        accepted: true,
      },
      envelope.value.id,
    ),
  );
  return requestProof(session.origin, checked.value, context, ack);
}

interface CheckedHandshake extends ProvisionalPeer {
  readonly challenge: Bytes;
}

function checkHandshake(
  envelope: Envelope,
  context: SessionContext,
): Result<CheckedHandshake, SessionFault> {
  const handshake = Handshake.safeParse(envelope.payload);
  if (!handshake.success)
    return err(handshakeFault(firstIssue(handshake.error), handshake.error.issues[0]?.path));
  const { identity, version } = handshake.data;
  if (version !== GO_P2P_VERSION) {
    return err({
      code: "version_unsupported",
      detail: `this mesh speaks version ${GO_P2P_VERSION}, not ${version}`,
    });
  }
  const introduced = readIdentity(identity, envelope, context);
  if (!introduced.ok) return introduced;
  const challenge = fromBase64(handshake.data.challenge) as Bytes;
  return ok({ ...introduced.value, challenge });
}

const rejection = (envelope: Envelope, fault: SessionFault, context: SessionContext): Intent =>
  cleartext(
    compose(
      context,
      envelope.from,
      "handshake_ack",
      { identity: ownIdentity(context), accepted: false, reason: fault.detail },
      envelope.id,
    ),
  );
