import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTls } from "../../server/tls.ts";
import { TlsReload } from "../../server/tls-reload.ts";
import { collectedLog } from "../collected-log.ts";
import { waitFor } from "../wait-for.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./outbound/certificate.ts";

let dir: string;
let files: { readonly cert: string; readonly key: string };
let watched: TlsReload;
const used: string[] = [];
const { log, lines } = collectedLog();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-tls-"));
  files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
  used.length = lines.length = 0;
  await writeFile(files.cert, CERTIFICATE);
  await writeFile(files.key, CERTIFICATE_KEY);
  watched = new TlsReload({
    files,
    current: await readTls(files),
    use: ({ cert }) => void used.push(String(cert)),
    log,
    intervalMs: 20,
  });
});
afterEach(async () => {
  watched.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The same certificate as another text. */
const OTHER = `# renewed\n${CERTIFICATE}`;

describe("the files of a TLS certificate", () => {
  test("SV16 are read again when they change", async () => {
    await writeFile(files.cert, OTHER);
    await writeFile(files.key, `# renewed\n${CERTIFICATE_KEY}`);
    await waitFor(() => expect(used.at(-1)).toBe(OTHER));
    expect(lines[0]).toMatchObject({
      level: "info",
      event: "tls.reloaded",
      message: "the TLS certificate was read again",
    });
  });

  test("SV16 that can't be used leave the certificate as it is, with one log line", async () => {
    await writeFile(files.key, "no key");
    await waitFor(() => expect(lines).not.toEqual([]));
    expect(lines).toMatchObject([{ level: "error" }]);
    expect(lines[0]?.message).toMatch(/^the TLS certificate stays as it was: [^\n]+$/);
    expect(used).toEqual([]);
    // Broken in the same way once more: there is nothing new to say.
    await writeFile(files.key, "no key, either");
    await writeFile(files.cert, OTHER);
    await writeFile(files.key, CERTIFICATE_KEY);
    await waitFor(() => expect(used).not.toEqual([]));
    expect(lines.map(({ level }) => level)).toEqual(["error", "info"]);
  });

  test("SV16 may be missing for a moment, and may be replaced by others or by links", async () => {
    await rm(files.cert);
    await waitFor(() => expect(lines).not.toEqual([]));
    expect(lines).toMatchObject([
      { level: "error", message: expect.stringContaining("does not exist") },
    ]);
    await writeFile(join(dir, "next.pem"), OTHER);
    await symlink("next.pem", join(dir, "link"));
    await rename(join(dir, "link"), files.cert);
    await waitFor(() => expect(used).not.toEqual([]));
    expect(used).toEqual([OTHER]);
  });

  test("SV16 are read when somebody asks, too, and then not once more for the same change", async () => {
    await watched.reload();
    await watched.reload();
    expect(lines.map(({ level }) => level)).toEqual(["info", "info"]);
    expect(used).toHaveLength(2);
  });
});
