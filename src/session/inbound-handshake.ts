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
 * The first frame: go-p2p's handshake, in clear. It is acknowledged with the answer to its challenge, which proves the
 * mesh to the peer, and followed at once by an encrypted ping, whose pong will prove the peer to the mesh. Whether the
 * peer is allowed is not asked yet: the ack would tell anybody who is on the list.
 */
export function receiveHandshake(
  session: Greeting,
  data: string | Bytes,
  context: SessionContext,
): Move {
  if (typeof data !== "string")
    return end(session, {
      code: "bad_message",
      detail: "a session begins with a handshake in a text frame",
    });
  const envelope = readEnvelope(data);
  if (!envelope.ok) return end(session, envelope.error);
  if (envelope.value.type !== "handshake") {
    return end(session, { code: "out_of_place", detail: "a session begins with a handshake" });
  }
  const opened = open(envelope.value, context);
  if (!opened.ok)
    return end(session, opened.error, rejection(envelope.value, opened.error, context));
  const { claim, secret, challenge } = opened.value;
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
  return requestProof(session.origin, opened.value, context, ack);
}

interface Opened extends ProvisionalPeer {
  readonly challenge: Bytes;
}

function open(envelope: Envelope, context: SessionContext): Result<Opened, SessionFault> {
  const handshake = Handshake.safeParse(envelope.payload);
  if (!handshake.success)
    return err(handshakeFault(firstIssue(handshake.error), handshake.error.issues[0]?.path));
  const { identity, version } = handshake.data;
  if (version !== GO_P2P_VERSION) {
    return err({
      code: "version_unsupported",
      detail: `version ${version}; this mesh speaks ${GO_P2P_VERSION}`,
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
