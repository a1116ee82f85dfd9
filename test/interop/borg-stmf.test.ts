import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import {
  decrypt,
  encryptBase64,
  fileContent,
  fileField,
  generateKeyPair,
  inspect,
  PAYLOAD_FIELD,
  textField,
  type FormData as SealedForm,
} from "../../src/stmf/index.ts";
import { KEYS } from "../contracts/sealed-forms.suite.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { startSite } from "../stmf/site.ts";
import { borgSources, buildGo, fetchGoModules } from "./go-module.ts";

const { privateKey, publicKey } = generateKeyPair(seededRandom(11));
const [ownKey, ownPublicKey] = [toBase64(privateKey), toBase64(publicKey)];
const MIB = 1_024 * 1_024;

/** Runs a program with an input; returns its output. */
async function output(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {}); // the program may end before it reads everything; its exit code decides
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`${program} ${args[0]}: ${stderr}${stdout}`);
  return stdout.trim();
}

async function checkPhp(): Promise<string | null> {
  try {
    const modules = await output("php", ["-m"]);
    return modules.includes("sodium") ? null : "PHP has no sodium";
  } catch {
    return "PHP is not installed";
  }
}

const dir = await mkdtemp(join(tmpdir(), "muster-stmf-"));
const go = join(dir, "stmf");
const goSkipReason = await fetchGoModules();
if (goSkipReason === null) await buildGo("./stmf", go);
// Borg publishes its PHP library only as a part of its Go module.
const phpSkipReason = goSkipReason ?? (await checkPhp());
const library = phpSkipReason === null ? join(await borgSources(), "php/borg-stmf") : "";
const php = (args: readonly string[], input: string) =>
  output(
    "php",
    ["-d", "memory_limit=-1", join(import.meta.dirname, "stmf.php"), library, ...args],
    input,
  );

const skippedBecause = (obstacle: string | null) =>
  obstacle === null ? "" : ` (skipped: ${obstacle})`;

let server: ChildProcess | undefined;
afterAll(async () => {
  server?.kill("SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

const FORMS: Readonly<Record<string, SealedForm>> = {
  "no fields": { fields: [] },
  "fields with types": {
    fields: [textField("user", "ada"), textField("secret", "p<&>\"'\\\u2028", "password")],
  },
  "repeated and empty names": {
    fields: [textField("tag", "one"), textField("tag", "two"), { name: "", value: "" }],
  },
  "text of many scripts, and half a surrogate pair": {
    fields: [textField("日本語", "مرحبا 🔐"), textField("half", "\ud83d!")],
  },
  metadata: { fields: [], meta: { origin: "https://example.com", timestamp: "1735265000" } },
  "files of 0 bytes and of 1 byte": {
    fields: [
      fileField("none", new Uint8Array(), "none.bin"),
      fileField("one", Uint8Array.of(255), "one.png", "image/png"),
    ],
  },
  "a file of 1 MiB": { fields: [fileField("f", seededRandom(3)(MIB), "f.bin")] },
  "a file of 25 MiB": { fields: [fileField("f", new Uint8Array(25 * MIB).fill(0xa5), "f.bin")] },
};

const TIMEOUT_MS = 300_000;

/** A form as it is read from a container: lone surrogates are replaced. */
const wellFormed = (form: SealedForm): SealedForm =>
  JSON.parse(JSON.stringify(form), (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  ) as SealedForm;

describe.skipIf(goSkipReason !== null)(`Borg's Go module${skippedBecause(goSkipReason)}`, () => {
  it.for(Object.entries(FORMS))(
    "ST2 opens a container of ours: %s",
    { timeout: TIMEOUT_MS },
    async ([, form]) => {
      const sealed = await encryptBase64(form, publicKey);
      expect(JSON.parse(await output(go, ["open", ownKey], sealed))).toEqual(wellFormed(form));
    },
  );

  it.for(Object.entries(FORMS))(
    "ST2 seals a container that we open: %s",
    { timeout: TIMEOUT_MS },
    async ([, form]) => {
      const sealed = await output(go, ["seal", ownPublicKey], JSON.stringify(form));
      expect(await decrypt(sealed, privateKey)).toEqual(wellFormed(form));
    },
  );

  it("ST6 reads the same header fields as we do", async () => {
    const sealed = await encryptBase64({ fields: [] }, publicKey);
    const { algorithm, version, ephemeralPublicKey } = inspect(sealed);
    expect(JSON.parse(await output(go, ["info"], sealed))).toEqual({
      algorithm,
      version,
      ephemeral_pk: toBase64(present(ephemeralPublicKey)),
      nonce: "",
    });
  });

  it("ST10 does not open a container for several recipients", async () => {
    const sealed = await encryptBase64({ fields: [] }, [publicKey, KEYS.publicKey]);
    await expect(output(go, ["open", ownKey], sealed)).rejects.toThrow("decryption failed");
  });

  it("ST13 posts a form to our middleware, urlencoded and multipart", async () => {
    const site = await startSite();
    const form = present(FORMS["fields with types"]);
    try {
      const args = ["post", toBase64(KEYS.publicKey), `${site.url}/required`];
      const answers = JSON.parse(await output(go, args, JSON.stringify(form))) as unknown[];
      const entries = form.fields.map(({ name, value }) => [name, value]);
      expect(answers).toMatchObject([
        { sealed: form, entries },
        { sealed: form, entries },
      ]);
    } finally {
      site.close();
    }
  });

  it("ST2 accepts our form post in its middleware", async () => {
    server = spawn(go, ["serve", ownKey], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(present(server.stdout), "data")) as [Buffer];
    const form = { fields: [textField("user", "ada & co")], meta: { origin: "here" } };
    for (const body of [new FormData(), new URLSearchParams()]) {
      body.append(PAYLOAD_FIELD, await encryptBase64(form, publicKey));
      const answer = await fetch(line.toString().trim(), { method: "POST", body });
      expect(await answer.json()).toEqual({ form: { user: ["ada & co"] }, meta: form.meta });
    }
    server.stdin?.end();
  });
});

describe.skipIf(phpSkipReason !== null)(
  `Borg's PHP library${skippedBecause(phpSkipReason)}`,
  () => {
    it.for(Object.entries(FORMS))(
      "ST2 opens a container of ours: %s",
      { timeout: TIMEOUT_MS },
      async ([, form]) => {
        const { fields, meta = {} } = wellFormed(form);
        const sealed = await encryptBase64(form, publicKey);
        const expected = fields.map((field) => ({
          name: field.name,
          value: field.type === "file" ? null : field.value,
          type: field.type ?? null,
          filename: field.filename ?? null,
          mime: field.mime ?? null,
          content: createHash("sha256")
            .update(fileContent(field) ?? "")
            .digest("hex"),
        }));
        expect(JSON.parse(await php(["open", ownKey], sealed))).toEqual({ fields: expected, meta });
      },
    );

    it("ST6 accepts our container as valid, and reads the same header fields as we do", async () => {
      const sealed = await encryptBase64({ fields: [] }, publicKey);
      const { algorithm, version, ephemeralPublicKey } = inspect(sealed);
      expect(JSON.parse(await php(["info"], sealed))).toEqual({
        valid: true,
        algorithm,
        version,
        ephemeral_pk: toBase64(present(ephemeralPublicKey)),
      });
    });

    it("ST10 does not open a container for several recipients", async () => {
      const sealed = await encryptBase64({ fields: [] }, [publicKey, KEYS.publicKey]);
      await expect(php(["open", ownKey], sealed)).rejects.toThrow("InvalidPayloadException");
    });

    it("ST2 opens text with control characters, and fields whose names are numbers", async () => {
      const odd = {
        fields: [textField("0", "\0\u007f"), textField("a\tb", "\r\n")],
        meta: { "1": "x" },
      };
      const answer = JSON.parse(await php(["open", ownKey], await encryptBase64(odd, publicKey)));
      expect(
        answer.fields.map(({ name, value }: { name: string; value: string }) => [name, value]),
      ).toEqual(odd.fields.map(({ name, value }) => [name, value]));
      expect(answer.meta).toEqual(odd.meta);
    });
  },
);
