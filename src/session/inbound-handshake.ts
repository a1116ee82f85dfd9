import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { answerChallenge } from "../crypto/challenge.ts";
import { GO_P2P_VERSION } from "../protocol/constants.ts";
import { isJsonObject, type Json } from "../base/json.ts";
import { firstIssue, type Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { readGoP2pEnvelope, type GoP2pEnvelope } from "../protocol/go-p2p-envelope.ts";
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
 * The first frame: go-p2p's handshake, in cleartext, whose time tells the generation. It is acknowledged with the answer to its challenge, which proves the
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
  const read = readGoP2pEnvelope(data);
  if (!read.ok) return end(session, read.error);
  const { envelope, generation } = read.value;
  if (envelope.type !== "handshake") {
    return end(session, {
      code: "out_of_place",
      detail: `the first message must be a handshake, not ${envelope.type}`,
    });
  }
  const checked = checkHandshake(envelope, context);
  if (!checked.ok)
    return end(session, checked.error, rejection(read.value, checked.error, context));
  const { claim, secret, challenge } = checked.value;
  const ack = cleartext(
    compose(
      context,
      claim.peerId,
      "handshake_ack",
      {
        identity: ownIdentity(context),
        challengeResponse: toBase64(answerChallenge(secret, challenge, generation)),
        accepted: true,
      },
      envelope.id,
    ),
    generation,
  );
  return requestProof(session.origin, checked.value, generation, context, ack);
}

interface CheckedHandshake extends ProvisionalPeer {
  readonly challenge: Bytes;
}

function checkHandshake(
  envelope: Envelope,
  context: SessionContext,
): Result<CheckedHandshake, SessionFault> {
  if (lacksChallenge(envelope.payload)) return err(GENERATION_0);
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

/** The oldest nodes send no challenge. They would take any listener for the mesh. */
const lacksChallenge = (payload: Json): boolean =>
  isJsonObject(payload) && (payload["challenge"] ?? "") === "";

const GENERATION_0: SessionFault = {
  code: "version_unsupported",
  detail:
    "the handshake has no challenge: this is go-p2p before its first release (2025-12-31); update the node",
};

const rejection = (
  { envelope, generation }: GoP2pEnvelope,
  fault: SessionFault,
  context: SessionContext,
): Intent =>
  cleartext(
    compose(
      context,
      envelope.from,
      "handshake_ack",
      { identity: ownIdentity(context), accepted: false, reason: fault.detail },
      envelope.id,
    ),
    generation,
  );
