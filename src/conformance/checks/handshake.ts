/** The Noise handshake: three messages, and what a server without the key of the mesh gets. */
import { CLOSE } from "../../protocol/close-codes.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import type { Bytes } from "../../base/bytes.ts";
import { toHex } from "../../base/bytes.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { beginHandshake, type HandshakeOptions } from "../mesh/handshake.ts";
import { frameText } from "../session/frame-socket.ts";
import { handshakeNext, welcomeNext } from "../steps/join.ts";
import { works } from "../steps/offers.ts";

const SECTION = "protocol.md#handshake";
const THIRD = "no third message";

/** The peer gets this second message, and must not send a third one. */
async function refusesSecond(bench: Bench, options: HandshakeOptions): Promise<void> {
  await bench.start();
  const dial = await bench.mesh.nextDial();
  const socket = dial.accept();
  await beginHandshake(bench.mesh, socket, options);
  await socket.nothing(THIRD, 2_000);
}

const flipped = (message: Bytes, at: number): Bytes => {
  const altered = message.slice();
  altered[at] = (altered[at] ?? 0) ^ 1;
  return altered;
};

export const HANDSHAKE_CHECKS: readonly Check[] = [
  check(
    "HK01",
    SECTION,
    "The first frame is binary: an ephemeral key of 32 bytes and no payload.",
    {
      run: async (bench) => {
        await bench.start();
        const { data } = await (await bench.mesh.nextDial()).accept().next("the first frame");
        const isKey = typeof data !== "string" && data.length === 32;
        expect(isKey, "a binary frame of 32 bytes", frameText(data));
      },
    },
  ),
  check(
    "HK02",
    SECTION,
    "The third message opens with the keys of the handshake and proves the key of the URL.",
    {
      run: async (bench) => {
        await bench.start();
        const session = await handshakeNext(bench);
        const pub = bench.mesh.dials[0]?.field("pub") ?? "";
        expect(session.publicKey === pub, `the key ${pub}`, session.publicKey);
      },
    },
  ),
  check("HK03", SECTION, "After its welcome the peer works.", {
    run: async (bench) => {
      await bench.start();
      await works(await welcomeNext(bench));
    },
  }),
  check("HK04", SECTION, "Each handshake has an ephemeral key of its own.", {
    seconds: 3,
    run: async (bench) => {
      await bench.start();
      const keys: string[] = [];
      for (let round = 0; round < 2; round++) {
        const socket = (await bench.mesh.nextDial()).accept();
        const half = await beginHandshake(bench.mesh, socket);
        keys.push(toHex(half.ephemeralKey));
        socket.drop();
      }
      expect(keys[0] !== keys[1], "two ephemeral keys", `twice ${keys[0]}`);
    },
  }),
  check(
    "HK05",
    SECTION,
    "A server that proves another key than the pinned one gets no third message.",
    {
      seconds: 3,
      run: (bench) => refusesSecond(bench, { keys: newKeyPair(bench.mesh.random) }),
    },
  ),
  check("HK06", SECTION, "A second message whose sealed key was altered gets no third message.", {
    seconds: 3,
    run: (bench) => refusesSecond(bench, { alter: (message) => flipped(message, 40) }),
  }),
  check("HK07", SECTION, "A second message whose last byte was altered gets no third message.", {
    seconds: 3,
    run: (bench) =>
      refusesSecond(bench, { alter: (message) => flipped(message, message.length - 1) }),
  }),
  check("HK08", SECTION, "A second message of an earlier handshake gets no third message.", {
    seconds: 5,
    run: async (bench) => {
      const { mesh } = bench;
      await bench.start();
      const first = (await mesh.nextDial()).accept();
      const { secondMessage } = await beginHandshake(mesh, first);
      await first.next("the third message of the handshake");
      first.drop();
      const second = (await mesh.nextDial()).accept();
      await beginHandshake(mesh, second, { alter: () => secondMessage });
      await second.nothing(THIRD, 2_000);
    },
  }),
  check("HK09", SECTION, "A second message that is cut short gets no third message.", {
    subset: "full",
    seconds: 3,
    run: (bench) => refusesSecond(bench, { alter: (message) => message.slice(0, 50) }),
  }),
  check(
    "HK10",
    SECTION,
    "A second message with an ephemeral key of low order gets no third message.",
    {
      subset: "full",
      seconds: 3,
      run: (bench) =>
        refusesSecond(bench, {
          alter: (message) => {
            const altered = message.slice();
            altered.fill(0, 0, 32);
            return altered;
          },
        }),
    },
  ),
  check(
    "HK11",
    SECTION,
    "A second message of 1 MiB gets no third message, and the peer goes on: it can dial again.",
    {
      subset: "full",
      seconds: 6,
      run: async (bench) => {
        await bench.start();
        const socket = (await bench.mesh.nextDial()).accept();
        await beginHandshake(bench.mesh, socket, { alter: () => new Uint8Array(1_048_576) });
        await socket.nothing(THIRD, 1_500);
        socket.drop();
        await goesOn(bench);
      },
    },
  ),
  check("HK12", SECTION, "A text frame in place of the second message gets no third message.", {
    subset: "full",
    seconds: 3,
    run: (bench) => refusesSecond(bench, { alter: () => "pong" }),
  }),
  check(
    "HK13",
    SECTION,
    "A server that does not answer the first message is given up within 30 s.",
    {
      level: "should",
      subset: "full",
      seconds: 22,
      run: async (bench) => {
        await bench.start();
        const socket = (await bench.mesh.nextDial()).accept();
        await socket.next("the first message of the handshake");
        await socket.endsWithin("the peer gives the connection up", 30_000);
      },
    },
  ),
  check(
    "HK14",
    "protocol.md#welcome-and-rejection",
    "A peer that is rejected and closed with 4403 does not dial again.",
    {
      seconds: 6,
      run: async (bench) => {
        await bench.start();
        const session = await handshakeNext(bench);
        session.send("rejection", {
          code: "not_allowed",
          reason: "the peer is not on the allowlist",
        });
        await pause(50);
        session.socket.close(CLOSE.denied, "not_allowed: the peer is not on the allowlist");
        await bench.mesh.noDial("no dial after 4403", 5_000);
      },
    },
  ),
  check(
    "HK15",
    "protocol.md#welcome-and-rejection",
    "A peer that is rejected as key_in_use dials again, and not before retry_after.",
    { subset: "full", seconds: 8, run: (bench) => waitsAfter(bench, "key_in_use", 6) },
  ),
  check(
    "HK16",
    "protocol.md#welcome-and-rejection",
    "A peer that is rejected for another reason, with retry_after, dials again, and not before it.",
    {
      level: "should",
      subset: "full",
      seconds: 6,
      run: (bench) => waitsAfter(bench, "mesh_full", 4),
    },
  ),
  check(
    "HK17",
    "protocol.md#welcome-and-rejection",
    "A peer that is rejected without retry_after, and closed with another code than 4403, dials again after a pause.",
    {
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const { mesh } = bench;
        mesh.onDial = null;
        await bench.start();
        const session = await handshakeNext(bench);
        session.send("rejection", { code: "unavailable", reason: "the mesh does not answer" });
        await pause(50);
        session.socket.close(CLOSE.draining, "unavailable: the mesh does not answer");
        await works(await welcomeNext(bench, { within: 30_000 }));
      },
    },
  ),
  check("HK18", SECTION, "The peer sends no message before its welcome.", {
    subset: "full",
    seconds: 2,
    run: async (bench) => {
      await bench.start();
      const session = await handshakeNext(bench);
      await session.never("no message before the welcome", () => true, 1_500);
    },
  }),
  check(
    "HK19",
    "protocol.md#reconnecting",
    "A mesh that sends no welcome within 20 s is given up, also if it answers heartbeats.",
    {
      level: "should",
      subset: "full",
      seconds: 22,
      run: async (bench) => {
        await bench.start();
        const session = await handshakeNext(bench);
        await session.socket.endsWithin("the peer gives the connection up", 30_000);
      },
    },
  ),
];

/** The peer is rejected with this retry_after. */
async function waitsAfter(bench: Bench, code: string, seconds: number): Promise<void> {
  await bench.start();
  const session = await handshakeNext(bench);
  session.send("rejection", { code, reason: "not now", retry_after: seconds });
  await pause(50);
  const closedAt = Date.now();
  session.socket.close(CLOSE.rate, `${code}: not now`);
  const { at } = await bench.mesh.nextDial(60_000);
  const waited = (at - closedAt) / 1_000;
  expect(waited >= seconds - 0.1, `a dial after ${seconds} s or later`, `after ${waited} s`);
}

/** The program still runs, dials and works. */
async function goesOn(bench: Bench): Promise<void> {
  await works(await welcomeNext(bench, { within: 30_000 }));
}
