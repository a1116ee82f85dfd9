/**
 * docs/vectors holds test vectors for implementations of the protocol. They are made with fixed keys and times;
 * `npx vitest run --project core test/vectors -u` renews the files.
 */
import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { callbacks } from "./callback-vectors.ts";
import { discovery } from "./discovery-vectors.ts";
import { connectProofs, keyRotation, meshProofs, peerIds } from "./key-vectors.ts";
import { frames, noiseHandshake } from "./noise-vectors.ts";
import { resultTickets, sealedStreams, signedResults } from "./result-vectors.ts";
import { stmf } from "./stmf-vectors.ts";
import { contentOf, type VectorFile } from "./vector-file.ts";

const FILES: Readonly<Record<string, () => VectorFile | Promise<VectorFile>>> = {
  "peer-ids": peerIds,
  "connect-proof": connectProofs,
  "mesh-proof": meshProofs,
  "key-rotation": keyRotation,
  "noise-handshake": noiseHandshake,
  frames,
  "result-tickets": resultTickets,
  "sealed-streams": sealedStreams,
  "signed-results": signedResults,
  stmf,
  discovery,
  callbacks,
};
const FOLDER = new URL("../../docs/vectors/", import.meta.url).pathname;

test.each(Object.entries(FILES))(
  "PR1 docs/vectors/%s.json is what the code makes",
  async (name, make) => {
    await expect(contentOf(await make())).toMatchFileSnapshot(`${FOLDER}${name}.json`);
  },
);

test("PR1 docs/vectors has no other file", () => {
  const names = globSync("*.json", { cwd: FOLDER }).map((file) => file.replace(/\.json$/, ""));
  expect(names.toSorted()).toEqual(Object.keys(FILES).toSorted());
});
