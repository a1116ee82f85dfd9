/** What the gateway of a mesh answers before a socket is open. */
import { fromHex, toHex } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import { peerIdOf } from "../../crypto/identity.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { verifyMeshProof } from "../../crypto/key-proofs.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { MUSTER_2_SUBPROTOCOL } from "../../protocol/constants.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { expect } from "../failure.ts";
import { dialUrl, meshKeyOf, opened, refusalOf, type DialChanges } from "./peer-dial.ts";
import { serverCheck, type ServerBench, type ServerCheck } from "./server-bench.ts";

const SECTION = "protocol.md#connecting";

/** A dial that differs so is refused with this code, and its WebSocket is not opened. */
async function refuses(bench: ServerBench, code: ErrorCode, changes: DialChanges): Promise<void> {
  const url = await dialUrl(bench, newKeyPair(bench.random), changes);
  const answer = await refusalOf(url);
  expect(answer.endsWith(` ${code}`), code, answer);
  const socket = await bench.open(url.replace(/^http/, "ws"), MUSTER_2_SUBPROTOCOL);
  expect(socket === null, "no open WebSocket", "an open WebSocket");
}

const otherId = ({ random }: ServerBench): string => toHex(random(16));

export const GATEWAY_CHECKS: readonly ServerCheck[] = [
  serverCheck(
    "SE01",
    "protocol.md#the-mesh-changes-its-key",
    "GET v1/mesh names the public key of the mesh, and the ID that belongs to it.",
    {
      run: async (bench) => {
        const key = await meshKeyOf(bench);
        const view = (await (await fetch(`${bench.url}v1/mesh`)).json()) as Record<string, unknown>;
        expect(view["id"] === peerIdOf(key), `the ID ${peerIdOf(key)}`, JSON.stringify(view));
      },
    },
  ),
  serverCheck(
    "SE02",
    "protocol.md#the-mesh-changes-its-key",
    "GET v1/mesh/proof proves that key, with the time, to a fresh challenge.",
    {
      run: async (bench) => {
        const publicKey = await meshKeyOf(bench);
        const own = newKeyPair(bench.random);
        const challenge = toHex(own.publicKey);
        const query = new URLSearchParams({ challenge, mesh: peerIdOf(publicKey) });
        const response = await fetch(`${bench.url}v1/mesh/proof?${query.toString()}`);
        const { proof, ...stated } = (await response.json()) as Record<string, string>;
        const statement = { signing_key: stated["signing_key"] ?? "", time: stated["time"] ?? "" };
        const keys = { privateKey: own.privateKey, publicKey };
        const isProved = await verifyMeshProof(
          await platformX25519(),
          keys,
          challenge,
          statement,
          proof ?? "",
        );
        expect(
          isProved && fromHex(proof ?? "") !== null,
          "a proof that holds",
          JSON.stringify(stated),
        );
      },
    },
  ),
  serverCheck("SE03", SECTION, "A right dial opens a WebSocket with the subprotocol muster.2.", {
    run: async (bench) => (await opened(bench, newKeyPair(bench.random))).close(1_000, "done"),
  }),
  serverCheck("SE04", SECTION, "A plain GET with a right proof answers upgrade_required.", {
    run: async (bench) => {
      const answer = await refusalOf(await dialUrl(bench, newKeyPair(bench.random)));
      expect(answer === "426 upgrade_required", "426 upgrade_required", answer);
    },
  }),
  serverCheck("SE05", SECTION, "A wrong proof is refused with proof_failed.", {
    run: (bench) => refuses(bench, "proof_failed", { query: { proof: "00".repeat(32) } }),
  }),
  serverCheck("SE06", SECTION, "A proof for another host is refused with proof_failed.", {
    run: (bench) => refuses(bench, "proof_failed", { host: "other.example" }),
  }),
  serverCheck(
    "SE07",
    "protocol.md#refused-upgrades",
    "A time that is ten minutes old is refused with clock_skew.",
    {
      run: (bench) =>
        refuses(bench, "clock_skew", { t: Math.floor(Date.now() / SECOND) - 10 * 60 }),
    },
  ),
  serverCheck(
    "SE08",
    SECTION,
    "An ID that does not belong to the key is refused with identity_mismatch.",
    {
      run: (bench) => refuses(bench, "identity_mismatch", { query: { peer: otherId(bench) } }),
    },
  ),
  serverCheck(
    "SE09",
    SECTION,
    "A key of the mesh that it does not have is refused with mesh_key_unknown.",
    {
      run: (bench) => refuses(bench, "mesh_key_unknown", { query: { mesh: otherId(bench) } }),
    },
  ),
  serverCheck(
    "SE10",
    SECTION,
    "A query without a proof, or with a parameter too many, is refused with invalid_request.",
    {
      run: async (bench) => {
        await refuses(bench, "invalid_request", { query: { proof: null } });
        await refuses(bench, "invalid_request", { query: { more: "1" } });
      },
    },
  ),
];
