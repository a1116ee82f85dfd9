import { fromBase64, toBase64, toHex, type Bytes } from "../../base/bytes.ts";
import type { RandomBytes } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { verifyChallengeAnswer } from "../../crypto/challenge.ts";
import { peerIdOf, sharedSecret } from "../../crypto/identity.ts";
import { frameKey } from "../../crypto/session-cipher.ts";
import { CHALLENGE_BYTES, GO_P2P_VERSION } from "../../protocol/constants.ts";
import { firstIssue, readEnvelope, type Envelope } from "../../protocol/envelope.ts";
import { CLOSE } from "../../protocol/errors.ts";
import { newUuid } from "../../protocol/ids.ts";
import { HandshakeAck, Identity } from "../../protocol/messages.ts";
import { OptionsError, PeerError, type PeerErrorCode } from "../errors.ts";
import type { Hello, LinkEnd } from "./connection.ts";

/** The identity that go-p2p's handshake carries, with Muster's field; throws an `OptionsError` if it can't be sent. */
export function identityOf(hello: Hello): Identity {
  const identity = Identity.safeParse({
    id: hello.keys.id,
    name: hello.name,
    publicKey: toBase64(hello.keys.publicKey),
    createdAt: hello.createdAt,
    role: hello.role,
    muster: {
      v: 1,
      capabilities: [...hello.capabilities],
      slots: hello.slots,
      prefetch: hello.prefetch,
    },
  });
  if (!identity.success) throw new OptionsError(firstIssue(identity.error));
  return identity.data;
}

export interface SentHandshake {
  readonly text: string;
  readonly challenge: Bytes;
}

/** go-p2p's first frame. Its `to` is empty: the peer does not know yet whom it will reach. */
export function newHandshake(hello: Hello, ts: string, random: RandomBytes): SentHandshake {
  const challenge = random(CHALLENGE_BYTES);
  const envelope: Envelope = {
    id: newUuid(random),
    type: "handshake",
    from: hello.keys.id,
    to: "",
    ts,
    payload: {
      identity: identityOf(hello) as unknown as Json,
      challenge: toBase64(challenge),
      version: GO_P2P_VERSION,
    },
  };
  return { text: JSON.stringify(envelope), challenge };
}

/** A mesh that has proved its key, and the key of the frames to come. */
export interface ProvedMesh {
  readonly id: string;
  readonly publicKey: string;
  readonly frameKey: Bytes;
}

/**
 * Judges the mesh's answer. The pinned key comes first: what an impostor says of acceptance does not matter. Who does
 * not prove its key is refused for good, as dialling again would meet the same impostor.
 */
export function checkAck(
  text: string,
  { hello, challenge, meshKey }: { hello: Hello; challenge: Bytes; meshKey: string | null },
): Result<ProvedMesh, LinkEnd> {
  const ack = readAck(text);
  if (ack === null) return err(dropped("the answer to the handshake can't be read"));
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
  const secret = sharedSecret(hello.keys.privateKey, publicKey);
  const response = fromBase64(ack.challengeResponse ?? "");
  if (secret === null || response === null || !verifyChallengeAnswer(secret, challenge, response)) {
    return err(refused("mesh_unproved", `whoever answered does not hold the mesh key ${key}`));
  }
  return ok({ id: ack.identity.id, publicKey: key, frameKey: frameKey(secret) });
}

function readAck(text: string) {
  const envelope = readEnvelope(text);
  if (!envelope.ok || envelope.value.type !== "handshake_ack") return null;
  return HandshakeAck.safeParse(envelope.value.payload).data ?? null;
}

const refused = (code: PeerErrorCode, message: string): LinkEnd => ({
  kind: "refused",
  error: new PeerError(code, message),
});

const dropped = (reason: string): LinkEnd => ({ kind: "dropped", code: CLOSE.handshake, reason });
