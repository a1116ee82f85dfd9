import { z } from "zod";
import { fromHex, type Bytes } from "../src/base/bytes.ts";
import { SECOND, toRfc3339, type Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { isCanonicalKey, peerIdOf, type KeyPair } from "../src/crypto/identity.ts";
import { verifyConnectProof } from "../src/crypto/key-proofs.ts";
import { platformX25519 } from "../src/crypto/x25519.ts";
import { CONNECT_CLOCK_SKEW_MAX } from "../src/protocol/constants.ts";
import { firstIssue } from "../src/protocol/envelope.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { PeerId, PublicKeyHex } from "../src/protocol/ids.ts";
import { malformedKey } from "./key-fault.ts";
import type { MeshIdentities } from "../durable/mesh-keys.ts";

/** The query by which a muster.2 peer connects: its ID, its key, the mesh's key, the time, and the proof (docs/security.md). */
export const ConnectQuery = z.strictObject({
  peer: PeerId,
  pub: PublicKeyHex,
  mesh: PeerId,
  t: z.string().regex(/^\d{1,12}$/, "Unix seconds"),
  proof: z.string().regex(/^[0-9a-f]{64}$/, "64 hex characters"),
});

/** A peer that has proved its key, and the ID of the mesh's key that it used. */
export interface ConnectRequest {
  readonly peerId: PeerId;
  readonly meshId: PeerId;
}

/** The mesh's identity key with this ID; null when it has another one. */
export const identityOf = ({ current, next }: MeshIdentities, id: string): KeyPair | null =>
  [current, next].find((candidate) => candidate?.id === id) ?? null;

export const KEY_UNKNOWN: MusterError = {
  code: "mesh_key_unknown",
  detail:
    "this mesh does not have the requested key, or has replaced it; get a new link from its operator",
};

/**
 * Verifies the proof that the caller holds the named peer's key, before any object is called: so a stranger cannot load or
 * occupy another peer's object. The check is stateless: a captured URL works again within a minute, but leads only to a
 * handshake that its sender cannot complete.
 */
export async function checkConnect(
  query: Record<string, string>,
  host: string,
  identities: MeshIdentities,
  now: Millis,
): Promise<Result<ConnectRequest, MusterError>> {
  const parsed = ConnectQuery.safeParse(query);
  if (!parsed.success)
    return err(
      malformedKey(parsed.error) ?? { code: "invalid_request", detail: firstIssue(parsed.error) },
    );
  const { peer, pub, mesh, t, proof } = parsed.data;
  const publicKey = fromHex(pub) as Bytes;
  if (!isCanonicalKey(publicKey)) {
    return err({
      code: "bad_key",
      detail: "pub is not the canonical encoding of its key; reduce it modulo the field's prime",
    });
  }
  if (peerIdOf(publicKey) !== peer) {
    return err({
      code: "identity_mismatch",
      detail: "peer is not the ID of the key in pub: use the first 16 bytes of the key's SHA-256",
    });
  }
  if (peer === identities.current.id || peer === identities.next?.id)
    return err({
      code: "identity_mismatch",
      detail: "pub is the mesh's own key: connect with a key of your own",
    });
  const identity = identityOf(identities, mesh);
  if (identity === null) return err(KEY_UNKNOWN);
  if (Math.abs(Number(t) * SECOND - now) > CONNECT_CLOCK_SKEW_MAX) {
    return err({
      code: "clock_skew",
      detail: `your clock differs from the mesh's by more than a minute; the mesh's time is ${toRfc3339(now)}`,
      time: toRfc3339(now),
    });
  }
  const keys = { privateKey: identity.privateKey, publicKey };
  if (!(await verifyConnectProof(await platformX25519(), keys, host, Number(t), proof))) {
    return err({
      code: "proof_failed",
      detail: "proof does not match this key, host and time",
    });
  }
  return ok({ peerId: peer, meshId: identity.id });
}
