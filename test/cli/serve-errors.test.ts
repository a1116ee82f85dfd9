import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LOG_EVENTS } from "../../src/base/log/log-events.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../server/outbound/certificate.ts";
import { muster } from "./command-run.ts";

const OTHER_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();

// Each command line of this process listens to signals.
process.setMaxListeners(0);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-serve-errors-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

/** A start that fails for its settings, and one that fails for what lies in its folder. */
const FAILS: readonly (readonly [name: string, args: () => readonly string[], code: number])[] = [
  ["a setting", () => ["--port", "x", "--dir", dir], 2],
  ["the folder", () => ["--port", "0", "--dir", dir], 1],
];
/** How the form of the log is given. */
const FORMS: readonly (readonly [name: string, args: () => Promise<readonly string[]>])[] = [
  ["--log json", () => Promise.resolve(["--log", "json"])],
  ["--json", () => Promise.resolve(["--json"])],
  [
    "MUSTER_LOG",
    () => {
      vi.stubEnv("MUSTER_LOG", "json");
      return Promise.resolve([]);
    },
  ],
];

describe.each(FAILS)("SV48 muster serve that fails for %s", (_, args, code) => {
  beforeEach(() => writeFile(join(dir, "version.json"), "{"));

  test.each(FORMS)("with %s writes one line of JSON", async (_name, form) => {
    const ended = await muster("serve", ...args(), ...(await form()));
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toMatch(/^\{[^\n]*\}\n$/);
    expect(JSON.parse(ended.err)).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: "error",
      message: expect.any(String),
      exit_code: code,
    });
  });

  test("else one line of text", async () => {
    const ended = await muster("serve", ...args());
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(/^muster: [^\n]+\n$/);
  });
});

test("SV59 that line has the event mesh.failed with its fields", async () => {
  const ended = await muster("serve", "--port", "x", "--dir", dir, "--log", "json");
  const line = JSON.parse(ended.err) as Record<string, unknown>;
  const { fields } = LOG_EVENTS["mesh.failed"];
  expect(Object.keys(line).toSorted()).toEqual(
    ["time", "level", "event", "message", ...fields].toSorted(),
  );
  expect(line).toMatchObject({ event: "mesh.failed", error: line["message"] });
});

test("SV48 the form of muster.toml counts for what fails after it was read", async () => {
  await writeFile(join(dir, "version.json"), "{");
  const config = join(dir, "muster.toml");
  await writeFile(config, 'log = "json"\nport = 0\n');
  const ended = await muster("serve", "--config", config, "--dir", dir);
  expect(JSON.parse(ended.err)).toMatchObject({ level: "error", exit_code: 1 });
});

test("CL65 the fault of one entry of a list is a sentence", async () => {
  const { code, err } = await muster("serve", "--cors-origins", "http://a/b", "--dir", dir);
  expect(code).toBe(2);
  expect(err).toContain('not "http://a/b" (entry 1 is not an origin as browsers write it');
});

describe("SV58 TLS files of a start", () => {
  test.each<[string, string | null, string | null, RegExp]>([
    ["a certificate that does not exist", null, CERTIFICATE_KEY, /cert\.pem/],
    ["a key that does not exist", CERTIFICATE, null, /key\.pem/],
    [
      "a certificate that is no PEM file",
      "junk",
      CERTIFICATE_KEY,
      /no TLS certificate with its key/,
    ],
    ["a key that is no PEM file", CERTIFICATE, "junk", /no TLS certificate with its key/],
    ["a key of another certificate", CERTIFICATE, OTHER_KEY, /no TLS certificate with its key/],
  ])("%s is an error of the call, as for --secrets", async (_, cert, key, message) => {
    const files = [join(dir, "cert.pem"), join(dir, "key.pem")] as const;
    if (cert !== null) await writeFile(files[0], cert);
    if (key !== null) await writeFile(files[1], key);
    const tls = ["--tls-cert", files[0], "--tls-key", files[1]];
    const ended = await muster("serve", "--port", "0", "--dir", join(dir, "mesh"), ...tls);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toMatch(/^muster: [^\n]+\n$/);
    expect(ended.err).toMatch(message);
  });

  test("a file that can't be read is one, too", async () => {
    const tls = ["--tls-cert", dir, "--tls-key", dir];
    const ended = await muster("serve", "--port", "0", "--dir", join(dir, "mesh"), ...tls);
    expect(ended).toMatchObject({ code: 2, err: expect.stringContaining(dir) });
  });
});
