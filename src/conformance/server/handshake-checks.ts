/** What a mesh does with the handshake of a peer. */
import { utf8 } from "../../base/bytes.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import { HELLO_BYTES_MAX } from "../../protocol/constants.ts";
import { expect } from "../failure.ts";
import type { FrameSocket } from "../session/frame-socket.ts";
import { closes } from "./closes.ts";
import { opened } from "./peer-dial.ts";
import { beginAsPeer, HELLO, thirdMessage, welcomed } from "./peer-session.ts";
import { serverCheck, type ServerBench, type ServerCheck } from "./server-bench.ts";

/** The mesh waits for 10 s, and sometimes as long again: its timer begins anew when its object is loaded anew. */
const SILENCE_MAX = 60_000;
const HANDSHAKE = "protocol.md#handshake";

const flipped = (message: Uint8Array): Uint8Array =>
  message.map((byte, at) => byte ^ Number(at === 5));

const raw = (bench: ServerBench): Promise<FrameSocket> => opened(bench, newKeyPair(bench.random));

/** A handshake whose third message is this. */
async function withThird(
  bench: ServerBench,
  hello: Uint8Array,
  alter: (message: Uint8Array) => Uint8Array | string = (message) => message,
): Promise<FrameSocket> {
  const keys = newKeyPair(bench.random);
  const socket = await opened(bench, keys);
  const { message } = await thirdMessage(await beginAsPeer(bench, socket, keys), keys, hello);
  socket.send(alter(message));
  return socket;
}

export const SERVER_HANDSHAKE_CHECKS: readonly ServerCheck[] = [
  serverCheck(
    "SE11",
    HANDSHAKE,
    "A text frame in place of the first message ends the handshake with 4401.",
    {
      run: async (bench) => {
        const socket = await raw(bench);
        socket.send("hello");
        await closes(socket, [CLOSE.handshake]);
      },
    },
  ),
  serverCheck(
    "SE12",
    HANDSHAKE,
    "A first message that is cut short ends the handshake with 4401.",
    {
      run: async (bench) => {
        const socket = await raw(bench);
        socket.send(bench.random(20));
        await closes(socket, [CLOSE.handshake]);
      },
    },
  ),
  serverCheck("SE13", HANDSHAKE, "An ephemeral key of low order ends the handshake with 4401.", {
    run: async (bench) => {
      const socket = await raw(bench);
      socket.send(new Uint8Array(32));
      await closes(socket, [CLOSE.handshake]);
    },
  }),
  serverCheck("SE14", HANDSHAKE, "A third message that was altered ends the handshake with 4401.", {
    run: async (bench) => {
      const socket = await withThird(bench, utf8(JSON.stringify(HELLO)), flipped);
      await closes(socket, [CLOSE.handshake]);
    },
  }),
  serverCheck(
    "SE15",
    HANDSHAKE,
    "A third message that proves another key than the URL's ends the handshake with 4401.",
    {
      run: async (bench) => {
        const socket = await raw(bench);
        const other = newKeyPair(bench.random);
        const state = await beginAsPeer(bench, socket, other);
        const { message } = await thirdMessage(state, other, utf8(JSON.stringify(HELLO)));
        socket.send(message);
        await closes(socket, [CLOSE.handshake]);
      },
    },
  ),
  serverCheck("SE16", HANDSHAKE, "A handshake message above 8 KiB ends the handshake.", {
    run: async (bench) => {
      const socket = await raw(bench);
      socket.send(new Uint8Array(HELLO_BYTES_MAX + 1));
      await closes(socket, [CLOSE.bad, 1_009]);
    },
  }),
  serverCheck(
    "SE17",
    HANDSHAKE,
    "A peer that sends nothing after it has connected is closed with 4408.",
    {
      subset: "full",
      seconds: 22,
      run: async (bench) => closes(await raw(bench), [CLOSE.timeout], SILENCE_MAX),
    },
  ),
  serverCheck(
    "SE18",
    "protocol.md#hello",
    "A hello that is not valid ends the handshake with 4400.",
    {
      run: async (bench) => {
        const contents = ["no JSON", JSON.stringify({ ...HELLO, role: "king" })];
        for (const text of contents) await closes(await withThird(bench, utf8(text)), [CLOSE.bad]);
      },
    },
  ),
  serverCheck(
    "SE19",
    "protocol.md#hello",
    "Fields of the hello that the mesh does not know are skipped.",
    {
      run: async (bench) => {
        const session = await welcomed(bench, { hello: { ...HELLO, from_tomorrow: { a: [1] } } });
        await session.settle();
      },
    },
  ),
  serverCheck(
    "SE20",
    "protocol.md#welcome-and-rejection",
    "The welcome is valid, and names the peer and the mesh.",
    {
      run: async (bench) => {
        const keys = newKeyPair(bench.random);
        const session = await welcomed(bench, { keys });
        const [welcome] = session.messages;
        const { peer_id: peerId, mesh } = welcome?.payload ?? {};
        const { id } = (mesh ?? {}) as { readonly id?: unknown };
        expect(welcome?.fault === null, "a valid welcome", welcome?.fault ?? "");
        const isNamed = peerId === keys.id && id === session.otherId;
        expect(isNamed, `${keys.id} and ${session.otherId}`, welcome?.text ?? "");
      },
    },
  ),
];
