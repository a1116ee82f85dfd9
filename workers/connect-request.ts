import { z } from "zod";
import { fromHex, type Bytes } from "../src/base/bytes.ts";
import { SECOND, toRfc3339, type Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { isCanonicalKey, peerIdOf } from "../src/crypto/identity.ts";
import { verifyConnectProof } from "../src/crypto/key-proofs.ts";
import { platformX25519 } from "../src/crypto/x25519.ts";
import { CONNECT_CLOCK_SKEW_MAX } from "../src/protocol/constants.ts";
import { firstIssue } from "../src/protocol/envelope.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { PeerId, PublicKeyHex } from "../src/protocol/ids.ts";
import type { MeshIdentities } from "../durable/mesh-keys.ts";

/** What a muster.2 peer says in its URL (DESIGN §3). */
export const ConnectQuery = z.object({
  peer: PeerId,
  pub: PublicKeyHex,
  mesh: PeerId,
  t: z.string().regex(/^\d{1,12}$/, "Unix seconds"),
  proof: z.string().regex(/^[0-9a-f]{64}$/, "64 hex characters"),
});

/** Who may go on to a session's object, and by which of the mesh's keys. */
export interface ConnectRequest {
  readonly peerId: PeerId;
  readonly meshId: PeerId;
}

/**
 * Checks the proof that the caller holds the key of the peer that it names, before any object is touched: nobody can
 * load or lock another's object. Stateless; the same URL works again within a minute, which leads only to a handshake
 * that its sender can't complete.
 */
export async function checkConnect(
  query: Record<string, string>,
  host: string,
  identities: MeshIdentities,
  now: Millis,
): Promise<Result<ConnectRequest, MusterError>> {
  const parsed = ConnectQuery.safeParse(query);
  if (!parsed.success) return err({ code: "invalid_request", detail: firstIssue(parsed.error) });
  const { peer, pub, mesh, t, proof } = parsed.data;
  const publicKey = fromHex(pub) as Bytes;
  if (!isCanonicalKey(publicKey)) {
    return err({ code: "bad_key", detail: "this is not how the key in pub is spelt" });
  }
  if (peerIdOf(publicKey) !== peer) {
    return err({ code: "identity_mismatch", detail: "peer is not the ID of the key in pub" });
  }
  const identity = [identities.current, identities.next].find(
    (candidate) => candidate?.id === mesh,
  );
  if (identity === null || identity === undefined) {
    return err({
      code: "mesh_key_unknown",
      detail:
        "this mesh does not have, or no longer has, the key that you ask for: get a new link from its operator",
    });
  }
  if (Math.abs(Number(t) * SECOND - now) > CONNECT_CLOCK_SKEW_MAX) {
    return err({
      code: "clock_skew",
      detail: `your clock differs by more than a minute; here it is ${toRfc3339(now)}`,
      time: toRfc3339(now),
    });
  }
  const keys = { privateKey: identity.privateKey, publicKey };
  if (!(await verifyConnectProof(await platformX25519(), keys, host, Number(t), proof))) {
    return err({
      code: "proof_failed",
      detail: "the proof does not belong to this key, host and time",
    });
  }
  return ok({ peerId: peer, meshId: identity.id });
}
