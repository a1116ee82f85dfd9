/** The end of a session, and the way back. */
import { CLOSE } from "../../protocol/close-codes.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { toHex } from "../../base/bytes.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { beginHandshake } from "../mesh/handshake.ts";
import { heldIn } from "../steps/held.ts";
import { join, welcomeNext } from "../steps/join.ts";
import { begun, ended, offer, works } from "../steps/offers.ts";

const SECTION = "protocol.md#reconnecting";

/** The time from the end of a session until the next dial, in seconds. */
async function waited(bench: Bench, endedAt: number, within = 30_000): Promise<number> {
  const { at } = await bench.mesh.nextDial(within);
  return (at - endedAt) / 1_000;
}

export const RECONNECT_CHECKS: readonly Check[] = [
  check("RX01", SECTION, "After a broken connection the peer dials again, and works.", {
    seconds: 2,
    run: async (bench) => {
      const session = await join(bench);
      await works(session);
      session.socket.drop();
      await works(await welcomeNext(bench, { within: 10_000 }));
    },
  }),
  check("RX02", SECTION, "While its session is open the peer opens no other.", {
    seconds: 3,
    run: async (bench) => {
      await works(await join(bench));
      await bench.mesh.noDial("one session at a time", 2_500);
    },
  }),
  check(
    "RX03",
    SECTION,
    "What runs when the connection breaks goes on: `held` names it, and its result comes in the next session.",
    {
      seconds: 5,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 3 }, { fence: 4 });
        await begun(session, of);
        session.socket.drop();
        const next = await welcomeNext(bench);
        const isHeld = heldIn(next).some(
          ({ task_id, fence }) => task_id === of.taskId && fence === of.fence,
        );
        expect(isHeld, `task ${of.taskId} with fence 4 in held`, next.helloText);
        const { payload, text } = await ended(next, of, 10_000);
        expect(payload["ok"] === true, "the result of the attempt", text);
      },
    },
  ),
  check(
    "RX04",
    "protocol.md#close-codes",
    "After a close with 4403 the peer does not dial again.",
    {
      seconds: 6,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        session.send("disconnect", { reason: "the operator has revoked this peer", code: 1001 });
        session.socket.close(CLOSE.denied, "revoked: the operator has revoked this peer");
        await bench.mesh.noDial("no dial after 4403", 5_000);
      },
    },
  ),
  check(
    "RX05",
    "protocol.md#close-codes",
    "After a close with 4409 the peer does not end the newer session in turn: no dial for 3 s.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        session.socket.close(CLOSE.superseded, "superseded: a newer session replaced this one");
        await bench.mesh.noDial("no dial within 3 s of 4409", 3_000);
      },
    },
  ),
  check("RX06", "protocol.md#close-codes", "After any other close the peer dials again.", {
    subset: "full",
    seconds: 12,
    run: async (bench) => {
      let session = await join(bench);
      for (const code of [CLOSE.normal, CLOSE.bad, CLOSE.timeout, 1_011]) {
        session.socket.close(code, "the session ends");
        session = await welcomeNext(bench, { within: 30_000 });
      }
      await works(session);
    },
  }),
  check(
    "RX07",
    SECTION,
    "The reconnect position of the welcome is kept: no dial before slot / per_second seconds.",
    {
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const welcome = { reconnect: { slot: 30, per_second: 10 } };
        const session = await join(bench, {}, { welcome });
        await works(session);
        session.socket.drop();
        const seconds = await waited(bench, Date.now());
        expect(seconds >= 2.9 && seconds < 15, "a dial after 3 s", `after ${seconds} s`);
      },
    },
  ),
  check(
    "RX08",
    SECTION,
    "A `disconnect` with a reconnect position replaces the position of the welcome.",
    {
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const welcome = { reconnect: { slot: 0, per_second: 100 } };
        const session = await join(bench, {}, { welcome });
        await works(session);
        const reconnect = { slot: 6, per_second: 2 };
        session.send("disconnect", { reason: "the mesh is restarting", code: 1001, reconnect });
        await pause(100);
        session.socket.close(CLOSE.draining, "mesh_restarting: the mesh is restarting");
        const seconds = await waited(bench, Date.now());
        expect(seconds >= 2.9 && seconds < 15, "a dial after 3 s", `after ${seconds} s`);
      },
    },
  ),
  check(
    "RX09",
    SECTION,
    "A `disconnect` that no close frame follows ends the session all the same.",
    {
      level: "should",
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        session.send("disconnect", { reason: "goodbye", code: 1001 });
        await session.socket.endsWithin("the peer ends the session", 6_000);
      },
    },
  ),
  check(
    "RX10",
    SECTION,
    "Two peers that lose their sessions at the same time do not come back at the same time.",
    {
      level: "should",
      subset: "full",
      seconds: 8,
      run: async (bench) => {
        const { mesh } = bench;
        await bench.start();
        const first = await welcomeNext(bench);
        await bench.start({}, "another");
        let sessions = [first, await welcomeNext(bench)];
        const apart: number[] = [];
        for (let round = 0; round < 3; round++) {
          const from = mesh.dials.length;
          for (const { socket } of sessions) socket.drop();
          sessions = [await welcomeNext(bench), await welcomeNext(bench)];
          const [a = 0, b = 0] = mesh.dials.slice(from).map(({ at }) => at);
          apart.push(Math.abs(a - b));
        }
        const isSpread = apart.some((each) => each > 40);
        expect(isSpread, "dials that are more than 40 ms apart", `${apart.join(", ")} ms`);
      },
    },
  ),
  check(
    "KX01",
    "protocol.md#the-mesh-changes-its-key",
    "A server that takes the place of the mesh with another key gets no third message.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        session.socket.drop();
        const socket = (await bench.mesh.nextDial()).accept();
        await beginHandshake(bench.mesh, socket, { keys: newKeyPair(bench.mesh.random) });
        await socket.nothing("no third message", 2_000);
      },
    },
  ),
  check(
    "KX02",
    "protocol.md#the-mesh-changes-its-key",
    "A peer dials by the next key of the mesh that a welcome has announced.",
    {
      level: "should",
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const { mesh } = bench;
        const next = newKeyPair(mesh.random);
        const meshFields = { next_public_key: toHex(next.publicKey) };
        const session = await join(bench, {}, { meshFields });
        await works(session);
        mesh.keys = next;
        session.socket.close(CLOSE.draining, "mesh_restarting: the mesh is restarting");
        const unknown = { code: "mesh_key_unknown", detail: "another key" } as const;
        let dial = await mesh.nextDial();
        for (let round = 0; round < 3 && dial.field("mesh") !== next.id; round++) {
          dial.refuse(unknown);
          dial = await mesh.nextDial();
        }
        expect(dial.field("mesh") === next.id, `mesh=${next.id}`, dial.field("mesh"));
        const half = await beginHandshake(mesh, dial.accept());
        await half.finish();
      },
    },
  ),
  check(
    "KX03",
    "protocol.md#the-mesh-changes-its-key",
    "A key that the mesh has not announced is never taken.",
    {
      subset: "full",
      seconds: 6,
      run: async (bench) => {
        const { mesh } = bench;
        const session = await join(bench);
        await works(session);
        mesh.keys = newKeyPair(mesh.random);
        mesh.onDial = (dial) => dial.refuse({ code: "mesh_key_unknown", detail: "another key" });
        session.socket.close(CLOSE.draining, "mesh_restarting: the mesh is restarting");
        await pause(4_000);
        const changed = mesh.dials.some((dial) => dial.field("mesh") === mesh.keys.id);
        expect(!changed, "no dial by the other key", "a dial by the other key");
      },
    },
  ),
];
