import { toHex, utf8, type Bytes } from "../../base/bytes.ts";
import { peerIdOf, type KeyPair } from "../../crypto/identity.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import {
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type NoiseState,
  type TransportKeys,
} from "../../crypto/noise.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { KEY_BYTES, MUSTER_2_PROLOGUE } from "../../protocol/constants.ts";
import { CheckFailed, NotApplicable } from "../failure.ts";
import { noiseChannel } from "../session/channel.ts";
import { frameText, type FrameSocket } from "../session/frame-socket.ts";
import { MessageSession } from "../session/message-session.ts";
import { summaryOf } from "../session/read-message.ts";
import { opened } from "./peer-dial.ts";
import type { ServerBench } from "./server-bench.ts";

const NOTHING = new Uint8Array();

/** Sends the first message of the handshake and reads the second. */
export async function beginAsPeer(
  { random }: ServerBench,
  socket: FrameSocket,
  keys: KeyPair,
): Promise<NoiseState> {
  const curve = await platformX25519();
  const start = startNoise(true, utf8(MUSTER_2_PROLOGUE));
  const first = await writeNoise(curve, start, keys, random(KEY_BYTES), NOTHING);
  if (!first.ok) throw new Error(first.error);
  socket.send(first.value.message);
  const { data } = await socket.next("the second message of the handshake");
  if (typeof data === "string")
    throw new CheckFailed("the second message as a binary frame", frameText(data));
  const second = await readNoise(curve, first.value.state, keys, data);
  if (!second.ok)
    throw new CheckFailed("a second message that proves the key of the mesh", frameText(data));
  return second.value.state;
}

/** The third message of the handshake, and the keys of the session after it. */
export async function thirdMessage(
  state: NoiseState,
  keys: KeyPair,
  hello: Uint8Array,
): Promise<{ readonly message: Bytes; readonly transport: TransportKeys }> {
  const third = await writeNoise(await platformX25519(), state, keys, NOTHING, hello);
  const transport = third.ok ? splitNoise(third.value.state) : null;
  if (!third.ok || transport === null) throw new Error("the handshake cannot be completed");
  return { message: third.value.message, transport };
}

export const HELLO = {
  name: "conformance",
  role: "worker",
  kinds: ["conformance"],
  slots: 1,
  prefetch: false,
  held: [],
  client: "muster-conformance/1",
};

/** Dials, and completes the handshake with this hello. */
export async function greet(
  bench: ServerBench,
  keys: KeyPair,
  hello: object = HELLO,
): Promise<MessageSession> {
  const socket = await opened(bench, keys);
  const state = await beginAsPeer(bench, socket, keys);
  const { message, transport } = await thirdMessage(state, keys, utf8(JSON.stringify(hello)));
  socket.sendDescribed(message, `hello ${JSON.stringify(hello)}`);
  return new MessageSession({
    socket,
    channel: noiseChannel(transport),
    ownId: keys.id,
    otherId: peerIdOf(state.remoteStatic ?? NOTHING),
    log: bench.log,
    now: () => Date.now(),
    random: bench.random,
  });
}

/** A peer that the mesh has welcomed. */
export async function welcomed(
  bench: ServerBench,
  { keys = newKeyPair(bench.random), hello = HELLO }: { keys?: KeyPair; hello?: object } = {},
): Promise<MessageSession> {
  await bench.operator?.allow(toHex(keys.publicKey));
  const session = await greet(bench, keys, hello);
  const first = await session.expect(
    "welcome",
    (message) => ["welcome", "rejection"].includes(message.type) && message,
  );
  if (first.type === "welcome") return session;
  if (first.payload["code"] === "not_allowed")
    throw new NotApplicable("the mesh admits no stranger: pass a token of the scope admin");
  throw new CheckFailed("welcome", summaryOf(first));
}
