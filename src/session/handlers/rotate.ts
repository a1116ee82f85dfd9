import { fromHex } from "../../base/bytes.ts";
import { isCanonicalKey, peerIdOf } from "../../crypto/identity.ts";
import { verifyRotationProof } from "../../crypto/key-proofs.ts";
import { errorReply } from "../messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/**
 * The peer rotates its key. The session proves the old key, the message the new one. Only over muster.2: go-p2p 1.0 has no
 * forward secrecy, so an attacker with a leaked key could rotate it.
 */
export const handleRotate: Handler<"rotate"> = (session, { id, payload }, context) => {
  const { claim, channel, epoch } = session;
  if (channel.protocol !== "muster/2") {
    const fault = {
      code: "not_permitted",
      detail: "a key can be rotated only over muster.2",
    } as const;
    return stay(session, errorReply(context, session, fault, id));
  }
  const newKey = fromHex(payload.public_key) as Uint8Array;
  const keys = { privateKey: context.mesh.keys.privateKey, publicKey: newKey };
  if (
    !isCanonicalKey(newKey) ||
    !verifyRotationProof(keys, claim.peerId, payload.public_key, payload.proof)
  ) {
    const fault = {
      code: "proof_failed",
      detail: "the proof does not match the new key",
    } as const;
    return stay(session, errorReply(context, session, fault, id));
  }
  const input = {
    peerId: claim.peerId,
    epoch,
    newPeerId: peerIdOf(newKey),
    newPublicKey: payload.public_key,
  };
  return stay(session, command({ name: "rotate_peer", input }, id));
};
