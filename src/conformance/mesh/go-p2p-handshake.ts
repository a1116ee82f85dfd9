import type { z } from "zod";
import { fromBase64, toBase64 } from "../../base/bytes.ts";
import { toRfc3339 } from "../../base/clock.ts";
import { answerChallenge } from "../../crypto/challenge.ts";
import { peerIdOf, sharedSecret, type KeyPair } from "../../crypto/identity.ts";
import { frameCipher } from "../../crypto/session-cipher.ts";
import { CHALLENGE_BYTES, GO_P2P_VERSION, HANDSHAKE_BYTES_MAX } from "../../protocol/constants.ts";
import { firstIssue, type Envelope } from "../../protocol/envelope.ts";
import { readGoP2pEnvelope, writeGoP2pEnvelope } from "../../protocol/go-p2p-envelope.ts";
import type { GoP2pGeneration } from "../../protocol/go-p2p-generation.ts";
import { Handshake } from "../../protocol/messages.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { CheckFailed } from "../failure.ts";
import { goP2pChannel } from "../session/channel.ts";
import { frameText, type FrameSocket } from "../session/frame-socket.ts";
import { MeshSession } from "./mesh-session.ts";
import type { ScriptedMesh } from "./scripted-mesh.ts";

/** The handshake of a go-p2p node that dials, as the mesh reads it. */
export interface GoP2pHandshake {
  readonly generation: GoP2pGeneration;
  readonly envelope: Envelope;
  readonly payload: z.infer<typeof Handshake>;
  readonly publicKey: Uint8Array;
}

/** Reads the first frame of a node. */
export async function readGoP2pHandshake(socket: FrameSocket): Promise<GoP2pHandshake> {
  const { data } = await socket.next("a handshake in a text frame");
  if (typeof data !== "string" || data.length > HANDSHAKE_BYTES_MAX)
    throw new CheckFailed("a handshake in a text frame of at most 16 KiB", frameText(data));
  const read = readGoP2pEnvelope(data);
  if (!read.ok) throw new CheckFailed("a message of go-p2p", `${read.error.detail}: ${data}`);
  const { envelope, generation } = read.value;
  const payload = Handshake.safeParse(envelope.payload);
  if (envelope.type !== "handshake" || !payload.success)
    throw new CheckFailed(
      `a handshake of version ${GO_P2P_VERSION} with a challenge of ${CHALLENGE_BYTES} bytes`,
      payload.success ? envelope.type : `${firstIssue(payload.error)}: ${data}`,
    );
  const publicKey = fromBase64(payload.data.identity.publicKey) ?? new Uint8Array();
  return { generation, envelope, payload: payload.data, publicKey };
}

export interface AckOptions {
  /** The key whose holder answers the challenge; default: the key of the identity in the ack. */
  readonly answeredBy?: KeyPair;
  readonly accepted?: boolean;
}

/** Acknowledges a handshake, and returns the session. */
export function acknowledge(
  mesh: ScriptedMesh,
  socket: FrameSocket,
  { generation, envelope, payload, publicKey }: GoP2pHandshake,
  { answeredBy = mesh.keys, accepted = true }: AckOptions = {},
): MeshSession {
  const { keys, random } = mesh;
  const challenge = fromBase64(payload.challenge) ?? new Uint8Array();
  const answering = sharedSecret(answeredBy.privateKey, publicKey);
  const secret = sharedSecret(keys.privateKey, publicKey);
  if (secret === null || answering === null)
    throw new CheckFailed("a usable public key", payload.identity.publicKey);
  const identity = {
    id: keys.id,
    name: "conformance",
    publicKey: toBase64(keys.publicKey),
    createdAt: toRfc3339(0),
    role: "controller",
  };
  const ack = {
    id: newUuid(random),
    type: "handshake_ack",
    from: keys.id,
    to: envelope.from,
    ts: toRfc3339(mesh.now),
    payload: {
      identity,
      accepted,
      ...(accepted
        ? { challengeResponse: toBase64(answerChallenge(answering, challenge, generation)) }
        : { reason: "peer not authorized" }),
    },
    replyTo: envelope.id,
  };
  socket.send(writeGoP2pEnvelope(ack, generation));
  return new MeshSession({
    mesh,
    socket,
    channel: goP2pChannel(frameCipher(secret, generation), () => mesh.now, random),
    meshId: keys.id,
    peerId: peerIdOf(publicKey),
    publicKey: payload.identity.publicKey,
    helloText: JSON.stringify(payload.identity),
  });
}
