import { fromBase64, toBase64, toHex, type Bytes } from "../base/bytes.ts";
import { toRfc3339 } from "../base/clock.ts";
import { isJsonObject, type Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { peerIdOf, sharedSecret } from "../crypto/identity.ts";
import { frameCipher } from "../crypto/session-cipher.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { writeGoP2pEnvelope } from "../protocol/go-p2p-envelope.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import { EVERY_KIND, GO_P2P_KINDS, type Identity } from "../protocol/messages.ts";
import { shownName } from "../protocol/shown-name.ts";
import type { GoP2pChannel } from "./channel.ts";
import type { Intent, Move } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import type { SessionContext } from "./context.ts";
import { ping } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Claim, Origin } from "./state.ts";

/** A peer whose key is known but not proved. The same whether the peer or the mesh dialed. */
export interface ProvisionalPeer {
  readonly claim: Claim;
  readonly secret: Bytes;
  /** Whether the peer reads `start_miner`'s config in base64, if it speaks generation 2. */
  readonly isLate: boolean;
}

/** Checks what a peer says about itself: the ID belongs to the key, the message comes from that ID, and the key is usable. */
export function readIdentity(
  identity: Identity,
  { from, payload }: Envelope,
  { mesh, nextMeshKey }: SessionContext,
): Result<ProvisionalPeer, SessionFault> {
  const publicKey = fromBase64(identity.publicKey) as Bytes;
  if (identity.id !== peerIdOf(publicKey) || from !== identity.id) {
    return err({
      code: "identity_mismatch",
      detail: "the ID must be the first 16 bytes of SHA-256(public key) in hex, and the sender's",
    });
  }
  const nextId = nextMeshKey === null ? null : peerIdOf(nextMeshKey);
  if (identity.id === mesh.keys.id || identity.id === nextId)
    return err({ code: "identity_mismatch", detail: "this key is the mesh's own" });
  const secret = sharedSecret(mesh.keys.privateKey, publicKey);
  if (secret === null) return err({ code: "bad_key", detail: "the public key is of low order" });
  return ok({ claim: claimFrom(identity, publicKey), secret, isLate: sortsKeys(payload) });
}

/**
 * Whether the sender sorts the keys in payloads, which tells late nodes of generation 2 from early ones: of the identity's keys
 * `createdAt` then is the first, and `id` otherwise.
 */
const sortsKeys = (payload: Json): boolean => {
  const identity = isJsonObject(payload) ? payload["identity"] : undefined;
  return isJsonObject(identity) && Object.keys(identity)[0] === "createdAt";
};

/** The fault of a handshake that does not parse: `bad_key` when the key is malformed, `bad_message` otherwise. */
export function handshakeFault(
  detail: string,
  path: readonly PropertyKey[] | undefined,
): SessionFault {
  return { code: path?.includes("publicKey") === true ? "bad_key" : "bad_message", detail };
}

const claimFrom = (identity: Identity, publicKey: Bytes): Claim => ({
  peerId: identity.id,
  publicKey: toHex(publicKey),
  name: shownName(identity.name),
  role: identity.role,
  speaksMuster: identity.muster !== undefined,
  capabilities: identity.muster?.capabilities ?? [],
  kinds: identity.muster === undefined ? GO_P2P_KINDS : (identity.muster.kinds ?? [EVERY_KIND]),
  // A plain go-p2p node answers requests one after another.
  slots: identity.muster?.slots ?? 1,
  prefetch: identity.muster?.prefetch ?? false,
});

export const ownIdentity = ({ mesh }: SessionContext): Identity => ({
  id: mesh.keys.id,
  name: mesh.name,
  publicKey: toBase64(mesh.keys.publicKey),
  // go-p2p requires the field but does not use it; the creation time of the mesh's key is not recorded.
  createdAt: toRfc3339(0),
  role: "controller",
});

/** Sends a message unencrypted. Only handshake messages are: the other side does not know the mesh's key yet. */
export const cleartext = (envelope: Envelope, generation: GoP2pGeneration | "both"): Intent => ({
  type: "send",
  frame: writeGoP2pEnvelope(envelope, generation),
});

/** The keys are exchanged: sends an encrypted ping. Only its pong proves the peer's key. */
export function requestProof(
  origin: Origin,
  { claim, secret, isLate }: ProvisionalPeer,
  generation: GoP2pGeneration,
  context: SessionContext,
  ...before: readonly Intent[]
): Move {
  const channel: GoP2pChannel = {
    protocol: "go-p2p/1.0",
    ...frameCipher(secret, generation),
    encodesConfig: generation === 2 && isLate,
    window: newIdWindow(0),
  };
  const proof = ping(context, { claim, channel }, null);
  return stay(
    { state: "proving", origin, claim, channel, strikes: 0, ping: proof.ping },
    ...before,
    proof.intent,
  );
}
