/** Both sides of the code read the handshake and the frames of docs/vectors. */
import { expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { readNoise, startNoise, writeNoise, type NoiseState } from "../../src/crypto/noise.ts";
import { openNext } from "../../src/crypto/transport.ts";
import { keyPairFrom } from "../../src/crypto/key-pairs.ts";
import { platformX25519 } from "../../src/crypto/x25519.ts";
import { hexBytes, must, present } from "../must.ts";
import { vectorsOf, type Texts } from "./vector-file.ts";

interface Handshake {
  readonly prologue_text: string;
  readonly messages: Texts[];
  readonly refused: { readonly why: string; readonly message: number; readonly bytes: string }[];
}

const given = vectorsOf<Handshake & Texts>("noise-handshake");
const keysOf = (name: string) => keyPairFrom(hexBytes(present(given[`${name}_private_key`])));
const [PEER, MESH] = [keysOf("peer_static"), keysOf("mesh_static")];
const [PEER_EPHEMERAL, MESH_EPHEMERAL] = [keysOf("peer_ephemeral"), keysOf("mesh_ephemeral")];

/** The state of the reader of this message, with all messages before it read or written. */
async function readerOf(message: number): Promise<NoiseState> {
  const curve = await platformX25519();
  const isMesh = message !== 2;
  const [own, ephemeral] = isMesh ? [MESH, MESH_EPHEMERAL] : [PEER, PEER_EPHEMERAL];
  let state = startNoise(!isMesh, utf8(given.prologue_text));
  for (const [i, { bytes = "", payload = "" }] of given.messages.slice(0, message - 1).entries())
    state =
      (i % 2 === 0) === isMesh
        ? must(await readNoise(curve, state, own, hexBytes(bytes))).state
        : must(await writeNoise(curve, state, own, ephemeral.privateKey, hexBytes(payload))).state;
  return state;
}

const read = async (message: number, bytes: string) =>
  readNoise(
    await platformX25519(),
    await readerOf(message),
    message === 2 ? PEER : MESH,
    hexBytes(bytes),
  );

test("PR2 each side reads the handshake's messages", async () => {
  for (const [i, { bytes = "", payload = "" }] of given.messages.entries())
    expect(must(await read(i + 1, bytes)).payload).toEqual(hexBytes(payload));
});

test.each(given.refused)("PR2 message $message is refused: $why", async ({ message, bytes }) => {
  const answer = await read(message, bytes);
  // Message 1 proves nothing: a key of low order is noticed when message 2 is written.
  expect(answer.ok).toBe(false);
});

interface Frame {
  readonly counter: number;
  readonly frame: string;
}
interface Direction {
  readonly direction: string;
  readonly key: string;
  readonly frames: (Frame & { readonly plain_text: string })[];
  readonly refused: (Frame & { readonly why: string })[];
}

test.each(vectorsOf<Direction[]>("frames"))(
  "PR2 frames open at their counter only: $direction",
  ({ key, frames, refused }) => {
    const open = ({ counter, frame }: Frame) =>
      openNext({ key: hexBytes(key), counter }, hexBytes(frame));
    for (const frame of frames) {
      expect(open(frame)?.plaintext).toEqual(utf8(frame.plain_text));
      expect(open({ ...frame, counter: frame.counter + 1 })).toBeNull();
    }
    expect(refused.length).toBeGreaterThan(3);
    for (const frame of refused) expect(open(frame), frame.why).toBeNull();
  },
);
