import { fromUtf8, toHex, utf8, type Bytes } from "../../base/bytes.ts";
import { peerIdOf, type KeyPair } from "../../crypto/identity.ts";
import { readNoise, splitNoise, startNoise, writeNoise } from "../../crypto/noise.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { HELLO_BYTES_MAX, KEY_BYTES, MUSTER_2_PROLOGUE } from "../../protocol/constants.ts";
import { CheckFailed } from "../failure.ts";
import { frameText, type FrameSocket } from "../session/frame-socket.ts";
import { noiseChannel } from "../session/channel.ts";
import { MeshSession } from "./mesh-session.ts";
import type { ScriptedMesh } from "./scripted-mesh.ts";

/** A handshake after its second message: it goes on when the peer sends the third. */
export interface HalfHandshake {
  readonly ephemeralKey: Bytes;
  readonly secondMessage: Bytes;
  /** Reads the third message and returns the session of the peer. */
  finish(): Promise<MeshSession>;
}

export interface HandshakeOptions {
  /** The key that the mesh proves; default: its own. */
  readonly keys?: KeyPair;
  /** Changes the second message on its way. */
  readonly alter?: (message: Bytes) => Bytes | string;
}

async function binary(socket: FrameSocket, expected: string): Promise<Bytes> {
  const { data } = await socket.next(expected);
  if (typeof data === "string")
    throw new CheckFailed(`${expected}, as a binary frame`, frameText(data));
  return data;
}

/** Reads the first message of the handshake and answers it with the second. */
export async function beginHandshake(
  mesh: ScriptedMesh,
  socket: FrameSocket,
  { keys = mesh.keys, alter = (message) => message }: HandshakeOptions = {},
): Promise<HalfHandshake> {
  const curve = await platformX25519();
  const first = await binary(socket, "the first message of the handshake");
  const read = await readNoise(curve, startNoise(false, utf8(MUSTER_2_PROLOGUE)), keys, first);
  if (!read.ok)
    throw new CheckFailed(
      "the first message of Noise_XX_25519_ChaChaPoly_SHA256: an ephemeral key",
      frameText(first),
    );
  const nothing = new Uint8Array();
  const written = await writeNoise(curve, read.value.state, keys, mesh.random(KEY_BYTES), nothing);
  if (!written.ok) throw new CheckFailed("a usable ephemeral key", toHex(first.subarray(0, 32)));
  const { state, message } = written.value;
  socket.send(alter(message));
  return {
    ephemeralKey: first.slice(0, KEY_BYTES),
    secondMessage: message,
    finish: async () => {
      const third = await binary(socket, "the third message of the handshake");
      if (third.length > HELLO_BYTES_MAX)
        throw new CheckFailed(
          `a third message of at most ${HELLO_BYTES_MAX} bytes`,
          `${third.length} bytes`,
        );
      const last = await readNoise(curve, state, keys, third);
      const split = last.ok ? splitNoise(last.value.state) : null;
      if (!last.ok || split === null || last.value.state.remoteStatic === null)
        throw new CheckFailed(
          "the third message, sealed with the keys of this handshake and the prologue muster/2",
          `${third.length} bytes that do not open`,
        );
      const { remoteStatic } = last.value.state;
      const hello = fromUtf8(last.value.payload);
      mesh.log.add("->", `hello ${hello}`);
      return new MeshSession({
        mesh,
        socket,
        meshId: keys.id,
        peerId: peerIdOf(remoteStatic),
        publicKey: toHex(remoteStatic),
        helloText: hello ?? "",
        channel: noiseChannel(split),
      });
    },
  };
}
