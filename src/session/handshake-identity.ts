import { fromBase64, toBase64, toHex, type Bytes } from "../base/bytes.ts";
import { toRfc3339 } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { peerIdOf, sharedSecret } from "../crypto/identity.ts";
import { frameKey } from "../crypto/session-cipher.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { EVERY_KIND, GO_P2P_KINDS, type Identity } from "../protocol/messages.ts";
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
}

/** Checks what a peer says about itself: the ID belongs to the key, the message comes from that ID, and the key is usable. */
export function readIdentity(
  identity: Identity,
  { from }: Envelope,
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
  return ok({ claim: claimFrom(identity, publicKey), secret });
}

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
  name: identity.name,
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
export const cleartext = (envelope: Envelope): Intent => ({
  type: "send",
  frame: JSON.stringify(envelope),
});

/** The keys are exchanged: sends an encrypted ping. Only its pong proves the peer's key. */
export function requestProof(
  origin: Origin,
  { claim, secret }: ProvisionalPeer,
  context: SessionContext,
  ...before: readonly Intent[]
): Move {
  const channel = {
    protocol: "go-p2p/1.0",
    generation: 1,
    key: frameKey(secret),
    window: newIdWindow(0),
  } as const;
  const proof = ping(context, { claim }, null);
  return stay(
    { state: "proving", origin, claim, channel, strikes: 0, ping: proof.ping },
    ...before,
    proof.intent,
  );
}
