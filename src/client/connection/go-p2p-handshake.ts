import { fromBase64, toBase64, toHex, type Bytes } from "../../base/bytes.ts";
import type { RandomBytes } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { verifyChallengeAnswer } from "../../crypto/challenge.ts";
import { peerIdOf, sharedSecret } from "../../crypto/identity.ts";
import { firstKey } from "../../crypto/first-generation-cipher.ts";
import { CHALLENGE_BYTES, GO_P2P_VERSION } from "../../protocol/constants.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { readEnvelope } from "../../protocol/read-envelope.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import type { Identity } from "../../protocol/messages.ts";
import { HandshakeAck, Identity as IdentityShape } from "../../protocol/shapes/messages.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import { OptionsError, PeerError, type PeerErrorCode } from "../errors.ts";
import type { ConnectionEnd, PeerProfile } from "./connection.ts";

/**
 * The identity that go-p2p's handshake carries, with Muster's additional field. Throws an `OptionsError` if the profile
 * is not valid.
 */
export function goP2pIdentity(profile: PeerProfile): Identity {
  const identity = readShape(IdentityShape, {
    id: profile.keys.id,
    name: profile.name,
    publicKey: toBase64(profile.keys.publicKey),
    createdAt: profile.createdAt,
    role: profile.role,
    muster: {
      v: 1,
      capabilities: [...profile.capabilities],
      kinds: [...profile.kinds],
      slots: profile.slots,
      prefetch: profile.prefetch,
    },
  });
  if (!identity.ok) throw new OptionsError(identity.error);
  return identity.value;
}

export interface SentHandshake {
  readonly text: string;
  readonly challenge: Bytes;
}

/** go-p2p's first frame. Its `to` is empty: the peer does not know the mesh's ID yet. */
export function newHandshake(profile: PeerProfile, ts: string, random: RandomBytes): SentHandshake {
  const challenge = random(CHALLENGE_BYTES);
  const envelope: Envelope = {
    id: newUuid(random),
    type: "handshake",
    from: profile.keys.id,
    to: "",
    ts,
    payload: {
      identity: goP2pIdentity(profile) as unknown as Json,
      challenge: toBase64(challenge),
      version: GO_P2P_VERSION,
    },
  };
  return { text: JSON.stringify(envelope), challenge };
}

/** The SDK speaks generation 1 of go-p2p. A mesh speaks both, and the second gives a peer of the SDK nothing that muster.2 does not. */
const GENERATION = 1;

/** A mesh that has proved its key, and the key of the frames that follow. */
export interface ProvenMesh {
  readonly id: string;
  /** In hex. */
  readonly publicKey: string;
  readonly frameKey: Bytes;
}

interface AckContext {
  readonly profile: PeerProfile;
  readonly challenge: Bytes;
  /** The pinned key, in hex; null accepts any key. */
  readonly meshKey: string | null;
}

/**
 * Verifies the mesh's answer to the handshake. The pinned key is checked first, before `accepted`, which anybody can send.
 * An answer that does not prove the key is refused for good: dialing again would reach the same impostor.
 */
export function checkAck(
  text: string,
  { profile, challenge, meshKey }: AckContext,
): Result<ProvenMesh, ConnectionEnd> {
  const ack = readAck(text);
  if (ack === null) return err(dropped("the answer to the handshake is not a valid handshake_ack"));
  const publicKey = fromBase64(ack.identity.publicKey) as Bytes;
  const key = toHex(publicKey);
  if (meshKey !== null && key !== meshKey) {
    return err(refused("mesh_key_mismatch", `the mesh has the key ${key}, expected ${meshKey}`));
  }
  if (ack.identity.id !== peerIdOf(publicKey)) {
    return err(refused("mesh_unproved", "the mesh's ID does not belong to its key"));
  }
  if (!ack.accepted) {
    return err(refused("handshake_refused", ack.reason ?? "the mesh gave no reason"));
  }
  const secret = sharedSecret(profile.keys.privateKey, publicKey);
  const response = fromBase64(ack.challengeResponse ?? "");
  if (
    secret === null ||
    response === null ||
    !verifyChallengeAnswer(secret, challenge, response, GENERATION)
  ) {
    return err(refused("mesh_unproved", `the server did not prove the mesh key ${key}`));
  }
  return ok({ id: ack.identity.id, publicKey: key, frameKey: firstKey(secret) });
}

function readAck(text: string) {
  const envelope = readEnvelope(text);
  if (!envelope.ok || envelope.value.type !== "handshake_ack") return null;
  const ack = readShape(HandshakeAck, envelope.value.payload);
  return ack.ok ? ack.value : null;
}

const refused = (code: PeerErrorCode, message: string): ConnectionEnd => ({
  kind: "refused",
  error: new PeerError(code, message),
});

const dropped = (reason: string): ConnectionEnd => ({
  kind: "dropped",
  code: CLOSE.handshake,
  reason,
});
