import { fromBase64, toBase64, toHex, type Bytes } from "../base/bytes.ts";
import { toRfc3339 } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { peerIdOf, sharedSecret } from "../crypto/identity.ts";
import { frameKey } from "../crypto/session-cipher.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Identity } from "../protocol/messages.ts";
import type { Intent, Move } from "./effects.ts";
import { newIdWindow } from "./id-window.ts";
import type { SessionContext } from "./context.ts";
import { ping } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Claim, Origin } from "./state.ts";

/** What both sides of go-p2p's handshake have in common, whichever of them dialled. */
export interface ProvisionalPeer {
  readonly claim: Claim;
  readonly secret: Bytes;
}

/** Who a peer says it is, if that hangs together: its ID is its key's, it speaks for itself, and the key can be used. */
export function readIdentity(
  identity: Identity,
  { from }: Envelope,
  { mesh }: SessionContext,
): Result<ProvisionalPeer, SessionFault> {
  const publicKey = fromBase64(identity.publicKey) as Bytes;
  if (identity.id !== peerIdOf(publicKey) || from !== identity.id) {
    return err({
      code: "identity_mismatch",
      detail: "the ID must be the first 16 bytes of SHA-256(public key), in hex",
    });
  }
  const secret = sharedSecret(mesh.keys.privateKey, publicKey);
  if (secret === null) return err({ code: "bad_key", detail: "the public key is of low order" });
  return ok({ claim: claimFrom(identity, publicKey), secret });
}

/** A key that can't be one is told apart from a message that can't be read. */
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
  // A plain go-p2p node answers requests one after another.
  slots: identity.muster?.slots ?? 1,
  prefetch: identity.muster?.prefetch ?? false,
});

export const ownIdentity = ({ mesh }: SessionContext): Identity => ({
  id: mesh.keys.id,
  name: mesh.name,
  publicKey: toBase64(mesh.keys.publicKey),
  // go-p2p reads the field and uses it nowhere; the mesh's key has no birthday on record.
  createdAt: toRfc3339(0),
  role: "controller",
});

/** Handshake messages alone travel unencrypted: the other side needs our key first. */
export const cleartext = (envelope: Envelope): Intent => ({
  type: "send",
  frame: JSON.stringify(envelope),
});

/** The keys are exchanged: an encrypted ping asks for the pong that alone proves the peer's. */
export function requestProof(
  origin: Origin,
  { claim, secret }: ProvisionalPeer,
  context: SessionContext,
  ...before: readonly Intent[]
): Move {
  const channel = {
    protocol: "go-p2p/1.0",
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
