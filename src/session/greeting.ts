import { fromBase64, toBase64, toHex, type Bytes } from "../base/bytes.ts";
import { toRfc3339 } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { answerChallenge } from "../crypto/challenge.ts";
import { peerIdOf, sharedSecret } from "../crypto/identity.ts";
import { frameKey } from "../crypto/session-cipher.ts";
import { GO_P2P_VERSION } from "../protocol/constants.ts";
import { firstIssue, readEnvelope, type Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { Handshake, type Identity } from "../protocol/messages.ts";
import type { Intent, Move } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import { compose, end, ping, stay, type SessionContext } from "./outgoing.ts";
import type { Claim, Greeting } from "./state.ts";

/**
 * The first frame: go-p2p's handshake, in clear. It is acknowledged with the answer to its challenge, which proves the
 * mesh to the peer, and followed at once by an encrypted ping, whose pong will prove the peer to the mesh. Whether the
 * peer is allowed is not asked yet: the ack would tell anybody who is on the list.
 */
export function greet(session: Greeting, data: string | Bytes, context: SessionContext): Move {
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
  const ack = clear(
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
  const channel = {
    protocol: "go-p2p/1.0",
    key: frameKey(secret),
    window: newIdWindow(0),
  } as const;
  const proof = ping(context, { claim }, null);
  return stay(
    { state: "proving", origin: session.origin, claim, channel, strikes: 0, ping: proof.ping },
    ack,
    proof.intent,
  );
}

interface Opened {
  readonly claim: Claim;
  readonly secret: Bytes;
  readonly challenge: Bytes;
}

function open(envelope: Envelope, { mesh }: SessionContext): Result<Opened, SessionFault> {
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
  const publicKey = fromBase64(identity.publicKey) as Bytes;
  if (identity.id !== peerIdOf(publicKey) || envelope.from !== identity.id) {
    return err({
      code: "identity_mismatch",
      detail: "the ID must be the first 16 bytes of SHA-256(public key), in hex",
    });
  }
  const secret = sharedSecret(mesh.keys.privateKey, publicKey);
  if (secret === null) return err({ code: "bad_key", detail: "the public key is of low order" });
  return ok({
    claim: claimFrom(identity, publicKey),
    secret,
    challenge: fromBase64(handshake.data.challenge) as Bytes,
  });
}

/** A key that can't be one is told apart from a message that can't be read. */
function handshakeFault(detail: string, path: readonly PropertyKey[] | undefined): SessionFault {
  return { code: path?.includes("publicKey") === true ? "bad_key" : "bad_message", detail };
}

const claimFrom = (identity: Identity, publicKey: Bytes): Claim => ({
  peerId: identity.id,
  publicKey: toHex(publicKey),
  name: identity.name,
  role: identity.role,
  speaksMuster: identity.muster !== undefined,
  capabilities: identity.muster?.capabilities ?? [],
  // A plain go-p2p node answers requests one after another.
  slots: identity.muster?.slots ?? 1,
  prefetch: identity.muster?.prefetch ?? false,
});

const ownIdentity = ({ mesh }: SessionContext): Identity => ({
  id: mesh.keys.id,
  name: mesh.name,
  publicKey: toBase64(mesh.keys.publicKey),
  // go-p2p reads the field and uses it nowhere; the mesh's key has no birthday on record.
  createdAt: toRfc3339(0),
  role: "controller",
});

const rejection = (envelope: Envelope, fault: SessionFault, context: SessionContext): Intent =>
  clear(
    compose(
      context,
      envelope.from,
      "handshake_ack",
      { identity: ownIdentity(context), accepted: false, reason: fault.detail },
      envelope.id,
    ),
  );

/** Handshake messages alone travel unencrypted: the peer needs our key first. */
const clear = (envelope: Envelope): Intent => ({
  type: "send",
  frame: JSON.stringify(envelope),
});
