import { toHex, utf8 } from "../../src/base/bytes.ts";
import { isCanonicalKey, peerIdOf } from "../../src/crypto/identity.ts";
import { makeConnectProof, makeMeshProof, makeRotationProof } from "../../src/crypto/key-proofs.ts";
import { hmacSha256, sha256 } from "../../src/crypto/primitives/hashes.ts";
import { x25519Agree } from "../../src/crypto/primitives/ladder.ts";
import { portableX25519 } from "../../src/crypto/x25519.ts";
import { hexBytes, present } from "../must.ts";
import {
  CALLER,
  flipped,
  MESH,
  NEXT_PEER,
  OTHER,
  PEER,
  SIGNING_PUBLIC_KEY,
  TIME,
  UNIX_SECONDS,
} from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

type KeyPair = typeof PEER;

const PRIME = Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f);

const keyVector = (name: string, publicKey: Uint8Array) => ({
  name,
  public_key: toHex(publicKey),
  accepted: isCanonicalKey(publicKey) && x25519Agree(MESH.privateKey, publicKey) !== null,
  peer_id: peerIdOf(publicKey),
});

export const peerIds = (): VectorFile => ({
  about: [
    "Peer IDs: the first 16 bytes of SHA-256(X25519 public key), as 32 lower-case hex characters.",
    "A mesh accepts a public key only in its canonical encoding (below 2^255 - 19) and not of low order. The ID of a key that is not accepted is the plain hash of its bytes.",
  ],
  vectors: [
    ...[PEER, MESH, NEXT_PEER].map(({ privateKey, publicKey }, i) => ({
      ...keyVector(["peer", "mesh", "next key of the peer"][i] ?? "", publicKey),
      private_key: toHex(privateKey),
    })),
    keyVector("zero: of low order", new Uint8Array(32)),
    keyVector("one: of low order", Uint8Array.of(1, ...new Uint8Array(31))),
    keyVector("the prime: not canonical", PRIME),
    keyVector(
      "the highest bit is set: not canonical",
      Uint8Array.from(PEER.publicKey, (byte, i) => (i === 31 ? byte | 0x80 : byte)),
    ),
  ],
});

/** The steps of every proof that a sender holds an X25519 key. */
function steps(own: KeyPair, theirs: KeyPair, purpose: string, statement: string) {
  const agreed = present(x25519Agree(own.privateKey, theirs.publicKey));
  const macKey = sha256(Uint8Array.from([...utf8(purpose), ...agreed]));
  return {
    agreed: toHex(agreed),
    purpose_text: purpose,
    mac_key: toHex(macKey),
    statement_text: statement,
    mac: toHex(hmacSha256(macKey, utf8(statement))),
  };
}

const HOSTS = ["mesh.example", "mesh.example:8443", "127.0.0.1:8787", "[::1]:8787"];

async function connectVector(host: string) {
  const keys = { privateKey: PEER.privateKey, publicKey: MESH.publicKey };
  const proof = present(await makeConnectProof(portableX25519, keys, host, UNIX_SECONDS));
  const query = {
    peer: PEER.id,
    pub: toHex(PEER.publicKey),
    mesh: MESH.id,
    t: UNIX_SECONDS,
    proof,
  };
  const search = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return {
    host,
    t: UNIX_SECONDS,
    steps: steps(PEER, MESH, "muster/2 connect", `${host}${UNIX_SECONDS}`),
    proof,
    url: `wss://${host}/v1/connect?${search.join("&")}`,
    refused: [
      { why: "of another second", t: UNIX_SECONDS + 1, host, proof },
      { why: "of another host", t: UNIX_SECONDS, host: `other.${host}`, proof },
      {
        why: "one bit changed",
        t: UNIX_SECONDS,
        host,
        proof: toHex(flipped(hexBytes(proof), 0)),
      },
    ],
  };
}

export const connectProofs = async (): Promise<VectorFile> => ({
  about: [
    "The proof in the URL by which a peer connects: HMAC-SHA256(SHA-256(purpose + X25519(own private, other's public)), statement). The statement is the URL's host, with its port unless that is the scheme's own, and the Unix time t in decimal.",
    "The mesh verifies it with its own private key and the peer's public key.",
  ],
  vectors: {
    peer_private_key: toHex(PEER.privateKey),
    peer_public_key: toHex(PEER.publicKey),
    peer_id: PEER.id,
    mesh_private_key: toHex(MESH.privateKey),
    mesh_public_key: toHex(MESH.publicKey),
    mesh_id: MESH.id,
    connects: await Promise.all(HOSTS.map(connectVector)),
  },
});

export async function meshProofs(): Promise<VectorFile> {
  const challenge = toHex(CALLER.publicKey);
  const stated = { signing_key: toHex(SIGNING_PUBLIC_KEY), time: TIME };
  const keys = { privateKey: MESH.privateKey, publicKey: CALLER.publicKey };
  const proof = present(await makeMeshProof(portableX25519, keys, challenge, stated));
  return {
    about: [
      "GET /v1/mesh/proof?challenge=KEY&mesh=ID: a mesh proves its identity key to a caller that has pinned it. The challenge is a public key that the caller made for this one request; the caller verifies the proof with its private key and the mesh's public key.",
      "The statement is the challenge, the signing key and the time, as they stand in the answer, without separators.",
    ],
    vectors: {
      challenge_private_key: toHex(CALLER.privateKey),
      challenge,
      mesh_private_key: toHex(MESH.privateKey),
      mesh_public_key: toHex(MESH.publicKey),
      mesh_id: MESH.id,
      answer: { ...stated, proof },
      steps: steps(MESH, CALLER, "muster/2 mesh", challenge + stated.signing_key + stated.time),
      refused: [
        { why: "another signing key", ...stated, signing_key: challenge, proof },
        { why: "another time", ...stated, time: "2026-12-01T12:00:01.000Z", proof },
        { why: "another proof", ...stated, proof: proof.replaceAll(/./g, "0") },
      ],
    },
  };
}

export function keyRotation(): VectorFile {
  const keys = { privateKey: NEXT_PEER.privateKey, publicKey: MESH.publicKey };
  const newKey = toHex(NEXT_PEER.publicKey);
  const proof = present(makeRotationProof(keys, PEER.id, newKey));
  return {
    about: [
      "The payload of `rotate`, which replaces a peer's key: the session proves the old key, `proof` the new one. The statement is the old peer ID and the new public key.",
    ],
    vectors: {
      old_peer_id: PEER.id,
      new_private_key: toHex(NEXT_PEER.privateKey),
      new_peer_id: NEXT_PEER.id,
      mesh_private_key: toHex(MESH.privateKey),
      mesh_public_key: toHex(MESH.publicKey),
      steps: steps(NEXT_PEER, MESH, "muster/2 rotate", PEER.id + newKey),
      payload: { public_key: newKey, proof },
      refused: [
        { why: "of another old ID", old_peer_id: OTHER.id, public_key: newKey, proof },
        {
          why: "for another key",
          old_peer_id: PEER.id,
          public_key: toHex(OTHER.publicKey),
          proof,
        },
      ],
    },
  };
}
