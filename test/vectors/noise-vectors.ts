import { fromUtf8, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import {
  nonceBytes,
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type NoiseState,
} from "../../src/crypto/noise.ts";
import { sha256 } from "../../src/crypto/primitives/hashes.ts";
import { sealNext, type Direction } from "../../src/crypto/transport.ts";
import { portableX25519 } from "../../src/crypto/x25519.ts";
import { FRAME_BYTES_MAX, MUSTER_2_PROLOGUE } from "../../src/protocol/constants.ts";
import { must, present } from "../must.ts";
import {
  EMPTY,
  flipped,
  MESH,
  MESH_EPHEMERAL,
  MESSAGE_ID,
  PEER,
  PEER_EPHEMERAL,
  TASK_ID,
  TIME,
} from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

const HELLO = {
  name: "atlas",
  role: "worker",
  capabilities: ["gpu", "arch=arm64"],
  kinds: ["resize"],
  slots: 2,
  prefetch: false,
  held: [],
  client: "example/1",
};
const HELLO_TEXT = JSON.stringify(HELLO);

/** The whole handshake: the messages, and the state of the peer after each. */
async function handshake() {
  const prologue = utf8(MUSTER_2_PROLOGUE);
  let peer = startNoise(true, prologue);
  let mesh = startNoise(false, prologue);
  const sent: { readonly message: Bytes; readonly payload: Bytes; readonly after: NoiseState }[] =
    [];
  for (const [i, payload] of [EMPTY, EMPTY, utf8(HELLO_TEXT)].entries()) {
    const isPeers = i % 2 === 0;
    const [from, own, ephemeral] = isPeers
      ? [peer, PEER, PEER_EPHEMERAL]
      : [mesh, MESH, MESH_EPHEMERAL];
    const written = must(
      await writeNoise(portableX25519, from, own, ephemeral.privateKey, payload),
    );
    const read = must(
      await readNoise(
        portableX25519,
        isPeers ? mesh : peer,
        isPeers ? MESH : PEER,
        written.message,
      ),
    );
    [peer, mesh] = isPeers ? [written.state, read.state] : [read.state, written.state];
    sent.push({ message: written.message, payload, after: peer });
  }
  return { sent, keys: present(splitNoise(peer)) };
}

const DIRECTIONS = ["peer to mesh", "mesh to peer", "peer to mesh"];
const TOKENS = ["e", "e, ee, s, es", "s, se"];

export async function noiseHandshake(): Promise<VectorFile> {
  const { sent, keys } = await handshake();
  const prologue = startNoise(true, utf8(MUSTER_2_PROLOGUE));
  const [, second, third] = sent.map(({ message }) => message);
  return {
    about: [
      "Noise_XX_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34). The peer is the initiator. Each message is one binary WebSocket frame.",
      "`hash` and `chaining_key` are those of the symmetric state after each message (h and ck of section 5.2); `payload` is what the message carries.",
    ],
    vectors: {
      protocol_name: "Noise_XX_25519_ChaChaPoly_SHA256",
      prologue_text: MUSTER_2_PROLOGUE,
      peer_static_private_key: toHex(PEER.privateKey),
      peer_static_public_key: toHex(PEER.publicKey),
      peer_ephemeral_private_key: toHex(PEER_EPHEMERAL.privateKey),
      peer_ephemeral_public_key: toHex(PEER_EPHEMERAL.publicKey),
      mesh_static_private_key: toHex(MESH.privateKey),
      mesh_static_public_key: toHex(MESH.publicKey),
      mesh_ephemeral_private_key: toHex(MESH_EPHEMERAL.privateKey),
      mesh_ephemeral_public_key: toHex(MESH_EPHEMERAL.publicKey),
      hash_after_prologue: toHex(prologue.hash),
      messages: sent.map(({ message, payload, after }, i) => ({
        direction: DIRECTIONS[i],
        tokens: TOKENS[i],
        payload: toHex(payload),
        ...(payload.length > 0 && { payload_text: fromUtf8(payload) }),
        bytes: toHex(message),
        hash: toHex(after.hash),
        chaining_key: toHex(after.chainingKey),
      })),
      handshake_hash: toHex(keys.handshakeHash),
      peer_to_mesh_key: toHex(keys.send),
      mesh_to_peer_key: toHex(keys.receive),
      refused: [
        { why: "message 1 has 31 bytes", message: 1, bytes: "00".repeat(31) },
        { why: "an ephemeral key of low order (zero)", message: 2, bytes: "00".repeat(96) },
        {
          why: "the static key was changed",
          message: 2,
          bytes: toHex(flipped(present(second), 40)),
        },
        { why: "the last tag was changed", message: 2, bytes: toHex(flipped(present(second), 95)) },
        { why: "cut off", message: 2, bytes: toHex(present(second).subarray(0, 79)) },
        { why: "the static key was changed", message: 3, bytes: toHex(flipped(present(third), 0)) },
        { why: "the hello was changed", message: 3, bytes: toHex(flipped(present(third), 60)) },
      ],
    },
  };
}

const COUNTERS = [0, 1, 2, 255, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3];

const envelope = (type: string, payload: object, from: string, to: string) =>
  JSON.stringify({ id: MESSAGE_ID, type, from, to, ts: TIME, payload });

const PEER_TEXT = envelope("task_accept", { task_id: TASK_ID, fence: 7 }, PEER.id, MESH.id);
const MESH_TEXT = envelope(
  "task_offer",
  {
    task_id: TASK_ID,
    fence: 7,
    kind: "resize",
    payload: { width: 100 },
    attempt: 1,
    lease_seconds: 60,
  },
  MESH.id,
  PEER.id,
);

function directionVector(name: string, key: Bytes, text: string) {
  const sealed = (counter: number, plain: string) => sealNext({ key, counter }, utf8(plain)).frame;
  const at = (counter: number): Direction => ({ key, counter });
  return {
    direction: name,
    key: toHex(key),
    frames: COUNTERS.map((counter) => ({
      counter,
      nonce: toHex(nonceBytes(counter)),
      plain_text: text,
      frame: toHex(sealed(counter, text)),
    })),
    largest: {
      about: "The largest frame: the letter `a`, repeated `plain_bytes` times.",
      counter: 0,
      plain_bytes: FRAME_BYTES_MAX - 16,
      frame_bytes: FRAME_BYTES_MAX,
      frame_sha256: toHex(sha256(sealed(0, "a".repeat(FRAME_BYTES_MAX - 16)))),
    },
    refused: [
      { why: "sent twice", counter: 1, frame: toHex(sealNext(at(0), utf8(text)).frame) },
      { why: "a frame is missing before it", counter: 0, frame: toHex(sealed(1, text)) },
      { why: "one bit changed", counter: 0, frame: toHex(flipped(sealed(0, text), 3)) },
      { why: "cut off", counter: 0, frame: toHex(sealed(0, text).subarray(0, -1)) },
      { why: "shorter than a tag", counter: 0, frame: "00".repeat(15) },
    ],
  };
}

export async function frames(): Promise<VectorFile> {
  const { keys } = await handshake();
  return {
    about: [
      "Frames of a session after the handshake of noise-handshake.json. A frame is ChaCha20-Poly1305 (RFC 8439) of one message's text in UTF-8, without associated data: ciphertext, then the tag of 16 bytes.",
      "The nonce is 4 zero bytes and the direction's counter as 64 bits, little-endian. The counter begins at 0 and grows by 1 with each frame. Receivers check that a frame is the next one: of the frames below each stands alone, as if the counter had reached it.",
    ],
    vectors: [
      directionVector("peer to mesh", keys.send, PEER_TEXT),
      directionVector("mesh to peer", keys.receive, MESH_TEXT),
    ],
  };
}
