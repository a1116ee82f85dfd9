/** A go-p2p 1.0 node that dials, of either generation. */
import { peerIdOf } from "../../crypto/identity.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { FRAME_BYTES_MAX } from "../../protocol/constants.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { acknowledge, readGoP2pHandshake } from "../mesh/go-p2p-handshake.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { MessageSession } from "../session/message-session.ts";

const HANDSHAKE = "go-p2p.md#both-generations";
const MESSAGES = "go-p2p.md#both-generations";

async function greeted(bench: Bench) {
  await bench.start();
  const socket = (await bench.mesh.nextDial()).accept();
  return { socket, handshake: await readGoP2pHandshake(socket) };
}

/** A node whose key the pong to the mesh's ping has proved. */
async function joined(bench: Bench): Promise<MeshSession> {
  const { socket, handshake } = await greeted(bench);
  const session = acknowledge(bench.mesh, socket, handshake);
  await session.settle();
  return session;
}

/** Fails if the node answers a ping. */
async function isNotAnswered(session: MessageSession, statement: string): Promise<void> {
  session.send("ping", { sentAt: 1 });
  await session.never(statement, ({ type }) => type === "pong", 2_000);
}

export const GO_P2P_CHECKS: readonly Check[] = [
  check(
    "GO01",
    HANDSHAKE,
    "The first frame is a handshake in a text frame: version 1.0, a challenge of 32 bytes, an identity.",
    {
      run: async (bench) => void (await greeted(bench)),
    },
  ),
  check(
    "GO02",
    HANDSHAKE,
    "The ID of the identity is that of its key, and the sender of the handshake.",
    {
      run: async (bench) => {
        const { handshake } = await greeted(bench);
        const id = peerIdOf(handshake.publicKey);
        const { envelope, payload } = handshake;
        const isRight = payload.identity.id === id && envelope.from === id;
        expect(isRight, `the ID ${id}`, `${payload.identity.id} from ${envelope.from}`);
      },
    },
  ),
  check("GO03", HANDSHAKE, "Each handshake has a challenge of its own.", {
    subset: "full",
    seconds: 2,
    run: async (bench) => {
      const { handshake } = await greeted(bench);
      await bench.start();
      const second = await readGoP2pHandshake((await bench.mesh.nextDial()).accept());
      const { challenge } = handshake.payload;
      expect(challenge !== second.payload.challenge, "two challenges", `twice ${challenge}`);
    },
  }),
  check(
    "GO04",
    HANDSHAKE,
    "After the ack the node answers a sealed ping with a sealed pong, in its generation.",
    {
      run: async (bench) => {
        const { socket, handshake } = await greeted(bench);
        const session = acknowledge(bench.mesh, socket, handshake);
        const id = session.send("ping", { sentAt: 1_234 });
        const pong = await session.expect(
          "a pong that answers the ping",
          (message) => message.type === "pong" && message.replyTo === id && message,
        );
        expect(pong.from === session.peerId, `from ${session.peerId}`, pong.from);
        expect(pong.payload["sentAt"] === 1_234, "sentAt: 1234", pong.text);
      },
    },
  ),
  check(
    "GO05",
    HANDSHAKE,
    "A mesh that does not answer the challenge with its key is not answered.",
    {
      seconds: 3,
      run: async (bench) => {
        const { socket, handshake } = await greeted(bench);
        const answeredBy = newKeyPair(bench.mesh.random);
        const session = acknowledge(bench.mesh, socket, handshake, { answeredBy });
        await isNotAnswered(session, "no pong");
      },
    },
  ),
  check("GO06", HANDSHAKE, "A node that is refused sends nothing more.", {
    seconds: 3,
    run: async (bench) => {
      const { socket, handshake } = await greeted(bench);
      const session = acknowledge(bench.mesh, socket, handshake, { accepted: false });
      await isNotAnswered(session, "no pong after accepted: false");
    },
  }),
  check("GO07", MESSAGES, "A message of a type that the node does not know is skipped.", {
    run: async (bench) => {
      const session = await joined(bench);
      session.send("type_of_tomorrow", { a: 1 });
      session.send("welcome", { peer_id: session.peerId });
      await session.settle();
    },
  }),
  check("GO08", MESSAGES, "Fields that the node does not know are skipped.", {
    run: async (bench) => {
      const session = await joined(bench);
      const id = session.send("ping", { sentAt: 1, extra: [1] }, { extra: { a: 1 } });
      await session.expect("a pong", ({ type, replyTo }) => type === "pong" && replyTo === id);
    },
  }),
  check(
    "GO09",
    MESSAGES,
    "get_stats is answered by stats, an object, with the ID of the request.",
    {
      run: async (bench) => {
        const session = await joined(bench);
        const id = session.send("get_stats", null);
        const { text } = await session.expect(
          "stats that answer the request",
          (message) => message.type === "stats" && message.replyTo === id && message,
        );
        const { payload } = JSON.parse(text) as { readonly payload: unknown };
        const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
        expect(isObject, "an object", text);
      },
    },
  ),
  check("GO10", MESSAGES, "A message of almost 1 MiB does not end the session.", {
    subset: "full",
    seconds: 2,
    run: async (bench) => {
      const session = await joined(bench);
      session.send("type_of_tomorrow", { padding: "x".repeat(Math.floor(FRAME_BYTES_MAX / 2)) });
      await session.settle();
    },
  }),
  check(
    "GO11",
    HANDSHAKE,
    "A frame that does not open is skipped, or ends the session, and never the program.",
    {
      level: "should",
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const program = await bench.start();
        const socket = (await bench.mesh.nextDial()).accept();
        const session = acknowledge(bench.mesh, socket, await readGoP2pHandshake(socket));
        await session.settle();
        session.sendSealed(bench.mesh.random(200), "200 random bytes");
        await pause(500);
        if (session.socket.closed === null) await session.settle();
        else expect(program.end === null, "a node that goes on", "the program has ended");
      },
    },
  ),
  check(
    "GO12",
    MESSAGES,
    "Ninety messages at once, which both sides allow, do not end the session.",
    {
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const session = await joined(bench);
        for (let count = 0; count < 90; count++) session.send("ping", { sentAt: count });
        await session.settle();
      },
    },
  ),
];
