import { describe, expect, test } from "vitest";
import { concat, utf8, type Bytes } from "../../src/base/bytes.ts";
import { BackupError } from "../../src/backup/format.ts";
import { readBackup } from "../../src/backup/read-backup.ts";
import {
  openBackup,
  sealBackup,
  type DeriveKey,
  type OpenWith,
  type SealTo,
} from "../../src/backup/sealed-backup.ts";
import { NO_TARGET } from "../../src/cli/backup/backup-file.ts";
import { newHash } from "../../src/cli/backup/new-hash.ts";
import { x25519PublicKey } from "../../src/crypto/primitives.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { sha256 } from "../../src/crypto/primitives.ts";

/** A quick stand-in for scrypt: how slow it is does not matter here. */
const deriveKey: DeriveKey = (passphrase, { salt, n }) =>
  Promise.resolve(sha256(utf8(`${passphrase} ${salt} ${n}`)));

const random = seededRandom(1);
const [OWN, OTHER] = [random(32), random(32)];
const PLAIN = random(600_000);

async function seal(to: SealTo) {
  const made = await sealBackup(new Blob([PLAIN]).stream(), to, deriveKey, seededRandom(2));
  const { header, sealed } = present(made);
  return { header, body: new Uint8Array(await new Response(sealed as BodyInit).arrayBuffer()) };
}

async function open(header: Bytes, body: Bytes, opener: OpenWith | null): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  const chunks = await openBackup(header, new Blob([body]).stream(), opener, deriveKey);
  for await (const part of chunks) parts.push(part);
  return concat(...parts);
}

const failure = (opening: Promise<unknown>): Promise<string> =>
  opening.then(
    () => "opened",
    (error: unknown) =>
      error instanceof BackupError ? error.code : `unexpected: ${String(error)}`,
  );

describe("a sealed backup", () => {
  test("BK5 opens with its passphrase, or with the private key of each recipient", async () => {
    const byPassphrase = await seal({ passphrase: "correct horse" });
    expect(
      await open(byPassphrase.header, byPassphrase.body, { passphrase: "correct horse" }),
    ).toEqual(PLAIN);
    const byKeys = await seal({ publicKeys: [x25519PublicKey(OWN), x25519PublicKey(OTHER)] });
    for (const privateKey of [OWN, OTHER])
      expect(await open(byKeys.header, byKeys.body, { privateKey })).toEqual(PLAIN);
  });

  test("BK5 opens with nothing else, and says which of both it needs", async () => {
    const byPassphrase = await seal({ passphrase: "correct horse" });
    const byKey = await seal({ publicKeys: [x25519PublicKey(OWN)] });
    for (const [{ header, body }, opener] of [
      [byPassphrase, { passphrase: "battery staple" }],
      [byPassphrase, { privateKey: OWN }],
      [byPassphrase, null],
      [byKey, { privateKey: OTHER }],
      [byKey, { passphrase: "correct horse" }],
      [byKey, null],
    ] as const)
      expect(await failure(open(header, body, opener))).toBe("backup_sealed_otherwise");
  });

  test("BK5 a reader passes on why the backup does not open, and does not take it for another file", async () => {
    const { header, body } = await seal({ passphrase: "correct horse" });
    const wrong = { passphrase: "battery staple" };
    const chunks = await openBackup(header, new Blob([body]).stream(), wrong, deriveKey);
    expect(await failure(readBackup(chunks, NO_TARGET, newHash))).toBe("backup_sealed_otherwise");
    const unreadable = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error("EIO")),
    });
    await expect(readBackup(unreadable, NO_TARGET, newHash)).rejects.toThrow("EIO");
  });

  test("BK5 a sealed file that is cut off, changed anywhere, or put behind another header does not open", async () => {
    const opener = { passphrase: "correct horse" };
    const { header, body } = await seal(opener);
    for (const length of [0, 1, 32, 262_192, 262_193, 524_352, body.length - 1])
      expect(await failure(open(header, body.slice(0, length), opener))).toMatch(/^backup_/);
    for (const at of [0, 31, 32, 262_191, 262_192, 400_000, body.length - 1]) {
      const changed = body.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await failure(open(header, changed, opener))).toMatch(/^backup_/);
    }
    const other = await sealBackup(new Blob([PLAIN]).stream(), opener, deriveKey, seededRandom(3));
    expect(await failure(open(present(other).header, body, opener))).toBe(
      "backup_sealed_otherwise",
    );
  });

  test("BK5 a header that demands another function, or more memory than 1 GiB, is refused before any work", async () => {
    const calls: unknown[] = [];
    const counted: DeriveKey = (...call) => {
      calls.push(call);
      return deriveKey(...call);
    };
    const header = (scrypt: object) =>
      utf8(
        `${JSON.stringify({
          muster_sealed_backup: 1,
          sealed_to: {
            type: "passphrase",
            scrypt: { salt: "00".repeat(16), n: 2 ** 17, r: 8, p: 1, ...scrypt },
          },
        })}\n`,
      );
    for (const scrypt of [
      { n: 2 ** 21 },
      { n: 1_024 },
      { n: 100_000 },
      { r: 1_024 },
      { p: 99 },
      { salt: "" },
    ])
      await expect(
        openBackup(header(scrypt), new Blob([]).stream(), { passphrase: "x" }, counted),
      ).rejects.toMatchObject({ code: "backup_damaged" });
    expect(calls).toEqual([]);
  });
});
