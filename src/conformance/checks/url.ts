/** How a peer dials: the URL, the proof in it, and what a gateway refuses. */
import { SECOND } from "../../base/clock.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { MUSTER_2_SUBPROTOCOL } from "../../protocol/constants.ts";
import { check, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { connectFault } from "../mesh/dial.ts";
import { handshakeNext, welcomeNext } from "../steps/join.ts";
import { works } from "../steps/offers.ts";

const SECTION = "protocol.md#connecting";
/** A peer that dials more often in 10 s has no backoff. */
const DIALS_IN_10_S_MAX = 12;

export const URL_CHECKS: readonly Check[] = [
  check("UP01", SECTION, "The peer opens a WebSocket at v1/connect below the URL of the mesh.", {
    run: async (bench) => {
      await bench.start();
      const { request } = await bench.mesh.nextDial();
      expect(request.path === "/v1/connect", "the path /v1/connect", request.path);
    },
  }),
  check("UP02", SECTION, "The peer asks for the WebSocket subprotocol muster.2.", {
    run: async (bench) => {
      await bench.start();
      const { subprotocols } = await bench.mesh.nextDial();
      const asks = subprotocols.includes(MUSTER_2_SUBPROTOCOL);
      expect(asks, "Sec-WebSocket-Protocol: muster.2", subprotocols.join(", ") || "none");
    },
  }),
  check("UP03", SECTION, "The query has peer, pub, mesh, t and proof, and nothing else.", {
    run: async (bench) => {
      await bench.start();
      const { request } = await bench.mesh.nextDial();
      const names = [...request.query.keys()].toSorted().join(", ");
      expect(names === "mesh, peer, proof, pub, t", "mesh, peer, proof, pub, t", names);
    },
  }),
  check(
    "UP04",
    SECTION,
    "The key in the URL is the peer's own, `peer` is its ID, and `mesh` is the ID of the key of the mesh.",
    {
      run: async (bench) => {
        await bench.start();
        const dial = await bench.mesh.nextDial();
        const fault = await connectFault(dial.request, bench.mesh.keys, bench.mesh.now);
        const isIdentity =
          fault?.code === "identity_mismatch" || fault?.code === "mesh_key_unknown";
        expect(!isIdentity, "IDs that belong to the keys", fault?.detail ?? "");
        expect(
          dial.field("pub") === bench.publicKey,
          `the public key of MUSTER_PRIVATE_KEY, ${bench.publicKey}`,
          dial.field("pub"),
        );
      },
    },
  ),
  check("UP05", SECTION, "The proof is right for the host and the time of the URL.", {
    run: async (bench) => {
      await bench.start();
      const dial = await bench.mesh.nextDial();
      const now = Number(dial.field("t")) * SECOND;
      const fault = await connectFault(dial.request, bench.mesh.keys, now);
      expect(fault === null, "a proof that the mesh accepts", fault?.detail ?? "");
    },
  }),
  check("UP06", SECTION, "`t` is the time of the dial in seconds, also of a second dial.", {
    seconds: 4,
    run: async (bench) => {
      await bench.start();
      for (let round = 0; round < 2; round++) {
        const dial = await bench.mesh.nextDial();
        const t = dial.field("t");
        const isNow = Math.abs(Number(t) * SECOND - dial.at) < 3 * SECOND;
        expect(isNow, `t within 3 s of ${Math.floor(dial.at / SECOND)}`, t);
        await pause(1_100);
        dial.accept().drop();
      }
    },
  }),
  check(
    "UP07",
    SECTION,
    "The path of a mesh behind a proxy is kept: v1/connect is appended to it.",
    {
      subset: "full",
      run: async (bench) => {
        await bench.start({ path: "behind/a-proxy/" });
        const { request } = await bench.mesh.nextDial();
        const expected = "/behind/a-proxy/v1/connect";
        expect(request.path === expected, expected, request.path);
      },
    },
  ),
  check(
    "UP08",
    SECTION,
    "Without the key of the mesh the peer takes the one of GET v1/mesh, and its handshake proves it.",
    {
      subset: "full",
      run: async (bench) => {
        await bench.start({ pinsMeshKey: false });
        await works(await welcomeNext(bench));
      },
    },
  ),
  check("UP09", SECTION, "A mesh that refuses dials is dialed again, with pauses that grow.", {
    seconds: 11,
    run: async (bench) => {
      const { mesh } = bench;
      mesh.onDial = (dial) => dial.refuse({ code: "unavailable", detail: "not now" });
      mesh.answers.set("/v1/connect", () => ({ status: 503, body: "" }));
      await bench.start();
      await pause(2_000);
      const startedAt = mesh.dials[0]?.at ?? Date.now();
      await pause(startedAt + 10_000 - Date.now());
      const count = mesh.dials.length;
      const seen = `${count} dials in 10 s`;
      expect(count >= 2 && count <= DIALS_IN_10_S_MAX, `2 to ${DIALS_IN_10_S_MAX} dials`, seen);
    },
  }),
  check(
    "UP10",
    SECTION,
    "A gateway that has another key than the peer pins is not dialed again and again, and its key is not taken.",
    {
      seconds: 5,
      run: async (bench) => {
        const { mesh } = bench;
        const { publicKey } = mesh;
        mesh.onDial = (dial) => dial.refuse({ code: "mesh_key_unknown", detail: "another key" });
        await bench.start();
        await pause(500);
        mesh.keys = newKeyPair(mesh.random);
        await pause(4_500);
        const changed = mesh.dials.filter((dial) => dial.field("mesh") === mesh.keys.id);
        expect(changed.length === 0, `dials by the pinned key ${publicKey} only`, "the other key");
        const seen = `${mesh.dials.length} dials in 5 s`;
        expect(mesh.dials.length <= 8, "at most 8 dials in 5 s", seen);
      },
    },
  ),
  check(
    "UP11",
    "protocol.md#refused-upgrades",
    "A dial that is refused with clock_skew is repeated with the time that the mesh proves.",
    {
      level: "should",
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const { mesh } = bench;
        mesh.clockOffset = 10 * 60 * SECOND;
        await bench.start();
        // Some runtimes repeat a request that is answered with 401 by themselves.
        let dial = await mesh.nextDial();
        for (let round = 0; round < 4; round++) {
          const fault = await connectFault(dial.request, mesh.keys, mesh.now);
          if (fault === null) break;
          dial.refuse(fault);
          dial = await mesh.nextDial();
        }
        const difference = Number(dial.field("t")) * SECOND - mesh.now;
        const seen = `${Math.round(difference / SECOND)} s from it`;
        expect(Math.abs(difference) < 10 * SECOND, "t within 10 s of the mesh's time", seen);
      },
    },
  ),
  check(
    "UP12",
    "protocol.md#refused-upgrades",
    "A time that is not proved with the key of the mesh corrects nothing.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const { mesh } = bench;
        mesh.clockOffset = 10 * 60 * SECOND;
        const forger = newKeyPair(mesh.random);
        mesh.answers.set("/v1/mesh/proof", async ({ query }) => ({
          status: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(await mesh.prove(query.get("challenge") ?? "", forger)),
        }));
        await bench.start();
        for (let round = 0; round < 4; round++) {
          const dial = await mesh.nextDial();
          const offset = Number(dial.field("t")) * SECOND - Date.now();
          const seen = `${Math.round(offset / SECOND)} s from it`;
          expect(Math.abs(offset) < 60 * SECOND, "t within 60 s of this machine's time", seen);
          const skew = { code: "clock_skew", detail: "", time: new Date(mesh.now).toISOString() };
          dial.refuse(skew as { code: "clock_skew"; detail: string });
        }
      },
    },
  ),
  check("UP13", SECTION, "The join key is not part of the URL: only the hello has it.", {
    subset: "full",
    run: async (bench) => {
      const joinKey = "mjk_00112233445566778899aabbccddeeff";
      await bench.start({ joinKey });
      const session = await handshakeNext(bench);
      const [dial] = bench.mesh.dials;
      const url = dial?.request.query.toString() ?? "";
      expect(!url.includes(joinKey), "a URL without the join key", url);
      const hello = session.helloText;
      expect(hello.includes(`"join_key":"${joinKey}"`), "join_key in the hello", hello);
    },
  }),
];
