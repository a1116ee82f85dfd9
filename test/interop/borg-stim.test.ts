import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { readBundle, sealBundle } from "../../src/crypto/deploy-bundle.ts";
import { openStim } from "../crypto/open-stim.ts";
import { STIM_VECTORS } from "../crypto/stim-vectors.ts";
import { bytesOf, must } from "../must.ts";
import { seededRandom } from "../random.ts";
import { buildGo, fetchGoModules } from "./go-module.ts";

const dir = await mkdtemp(join(tmpdir(), "muster-stim-"));
const binary = join(dir, "stim");
const goSkipReason = await fetchGoModules();
if (goSkipReason === null) await buildGo("./stim", binary);
const skippedBecause = goSkipReason === null ? "" : ` (skipped: ${goSkipReason})`;

afterAll(() => rm(dir, { recursive: true, force: true }));

interface BorgAnswer {
  readonly sealed?: string;
  readonly opened?: { readonly config: string; readonly files: object };
  readonly error?: string;
}

/** Asks the program that runs Borg's own code. */
async function borg(...requests: readonly object[]): Promise<readonly BorgAnswer[]> {
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
  return (await text(child.stdout))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const b64 = (content: string): string => toBase64(utf8(content));
const SECRET = seededRandom(5)(32);
const password = toBase64(SECRET);

describe.skipIf(goSkipReason !== null)(`Borg's containers of bundles${skippedBecause}`, () => {
  it.each<[string, Json, { config: string; files: object }]>([
    [
      "a profile",
      { type: "profile", profile: { pool: "a" } },
      { config: b64('{"pool":"a"}'), files: {} },
    ],
    [
      "a miner",
      {
        bundle: {
          type: "miner",
          name: "xmrig",
          files: { xmrig: b64("bin"), "conf/a.txt": b64("") },
        },
      },
      { config: "", files: { xmrig: b64("bin"), "conf/a.txt": "" } },
    ],
    [
      "everything, as large as a frame holds",
      { type: "full", name: "x", profile: {}, files: { big: toBase64(seededRandom(6)(780_000)) } },
      { config: b64("{}"), files: { big: toBase64(seededRandom(6)(780_000)) } },
    ],
  ])("GP33 a node's Borg opens what the mesh has sealed: %s", async (_, payload, contents) => {
    const sent = sealBundle(must(readBundle(payload)), SECRET, seededRandom(8));
    const wrong = toBase64(seededRandom(9)(32));
    const [opened, refused] = await borg(
      { password, open: sent.data },
      { password: wrong, open: sent.data },
    );
    expect(opened).toEqual({ opened: contents });
    expect(refused).toMatchObject({ error: expect.stringContaining("decryption failed") });
  });

  it("GP33 the vectors in this repository are Borg's", async () => {
    const opened = await borg(
      ...STIM_VECTORS.map((vector) => ({ password: vector.password, open: vector.sealed })),
    );
    expect(opened.map((answer) => answer.opened?.files)).toEqual(
      STIM_VECTORS.map(({ files }) => files),
    );
  });

  it("GP33 a container that Borg seals now has the layout that is read here", async () => {
    const seal = { config: b64("{}"), files: { a: b64("1") } };
    const [answer] = await borg({ password, seal });
    const { config, files } = openStim(password, bytesOf(answer?.sealed ?? ""));
    expect([toBase64(config), [...files.keys()]]).toEqual([b64("{}"), ["a"]]);
  });
});
