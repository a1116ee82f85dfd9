import { z } from "zod";
import { fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { parseJson } from "../base/json.ts";
import { sha256 } from "../crypto/primitives.ts";
import {
  openedStream,
  SealedStreamError,
  sealedStream,
  type StreamKey,
} from "../crypto/sealed-stream.ts";
import { openForm, sealFormForAll } from "../stmf/seal.ts";
import { BackupError } from "./format.ts";

/*
 * A sealed backup is one line of JSON, then the backup in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015; `crypto/sealed-stream.ts`). The line says how the key
 * of the stream is derived, and is part of its derivation: a stream does not open behind another line. With a passphrase the key is
 * scrypt's (RFC 7914); for public keys it is random and in an STMF container, which Borg's tools open, too.
 */

/** 128 MiB and about half a second on a machine of 2024: OWASP's first choice for scrypt is N = 2^17, r = 8, p = 1. */
const SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const;
/** A file that demands more than 1 GiB is not opened. */
const SCRYPT_N_MAX = 2 ** 20;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
export const HEADER_BYTES_MAX = 64 * 1_024;
/** The field of the STMF container that holds the key in hex. */
const FIELD = "backup_key";

const Scrypt = z.strictObject({
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  n: z
    .int()
    .min(2 ** 14)
    .max(SCRYPT_N_MAX)
    .refine((n) => Number.isInteger(Math.log2(n))),
  r: z.literal(8),
  p: z.int().min(1).max(4),
});
type Scrypt = z.infer<typeof Scrypt>;

const Header = z.strictObject({
  muster_sealed_backup: z.literal(1),
  sealed_to: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("passphrase"), scrypt: Scrypt }),
    z.strictObject({ type: z.literal("keys"), container: z.string() }),
  ]),
});
type Header = z.infer<typeof Header>;

export type DeriveKey = (passphrase: string, scrypt: Scrypt) => Promise<Bytes>;

/** To whom a backup is sealed. */
export type SealTo =
  | { readonly passphrase: string }
  /** X25519 public keys; each of their private keys opens it. */
  | { readonly publicKeys: readonly Bytes[] };

/** What opens a sealed backup. */
export type OpenWith = { readonly passphrase: string } | { readonly privateKey: Bytes };

/** Null when the public keys are not valid. */
export async function sealBackup(
  plain: ReadableStream<Uint8Array>,
  to: SealTo,
  deriveKey: DeriveKey,
  random: RandomBytes,
): Promise<{ readonly header: Bytes; readonly sealed: ReadableStream<Uint8Array> } | null> {
  const made = await ("passphrase" in to
    ? passphraseKey(to.passphrase, deriveKey, random)
    : wrappedKey(to.publicKeys, random));
  if (made === null) return null;
  const written: Header = { muster_sealed_backup: 1, sealed_to: made.sealedTo };
  const header = utf8(`${JSON.stringify(written)}\n`);
  return { header, sealed: sealedStream(plain, streamKey(made.key, header), random) };
}

interface MadeKey {
  readonly key: Bytes;
  readonly sealedTo: Header["sealed_to"];
}

async function passphraseKey(
  passphrase: string,
  deriveKey: DeriveKey,
  random: RandomBytes,
): Promise<MadeKey> {
  const scrypt: Scrypt = { ...SCRYPT, salt: toHex(random(SALT_BYTES)) };
  return { key: await deriveKey(passphrase, scrypt), sealedTo: { type: "passphrase", scrypt } };
}

function wrappedKey(publicKeys: readonly Bytes[], random: RandomBytes): MadeKey | null {
  const key = random(KEY_BYTES);
  const form = { fields: [{ name: FIELD, value: toHex(key) }] };
  const container = sealFormForAll(form, publicKeys, random);
  if (!container.ok) return null;
  return { key, sealedTo: { type: "keys", container: toBase64(container.value) } };
}

/** Whether the first line of a file is that of a sealed backup. */
export const isSealedHeader = (line: Uint8Array): boolean =>
  (fromUtf8(line) ?? "").startsWith('{"muster_sealed_backup"');

/** What a sealed backup contains. `line` is the header with its newline. */
export async function openBackup(
  line: Bytes,
  sealed: ReadableStream<Uint8Array>,
  opener: OpenWith | null,
  deriveKey: DeriveKey,
): Promise<AsyncIterable<Uint8Array>> {
  const header = Header.safeParse(parseJson(fromUtf8(line) ?? "")).data;
  if (header === undefined)
    throw new BackupError("backup_damaged", "the backup is damaged: its first line is not valid");
  const key = await keyOf(header.sealed_to, opener, deriveKey);
  return opened(openedStream(sealed, streamKey(key, line)));
}

async function keyOf(
  sealedTo: Header["sealed_to"],
  opener: OpenWith | null,
  deriveKey: DeriveKey,
): Promise<Bytes> {
  if (sealedTo.type === "passphrase") {
    if (opener === null || !("passphrase" in opener))
      throw sealedOtherwise("sealed with a passphrase; pass --passphrase-file");
    return deriveKey(opener.passphrase, sealedTo.scrypt);
  }
  if (opener === null || !("privateKey" in opener))
    throw sealedOtherwise("sealed to a key; pass --key-file");
  const container = fromBase64(sealedTo.container);
  const form = container === null ? null : openForm(container, opener.privateKey);
  const field =
    form?.ok === true ? form.value.fields.find(({ name }) => name === FIELD) : undefined;
  const key = field === undefined ? null : fromHex(field.value);
  if (key?.length !== KEY_BYTES)
    throw sealedOtherwise("sealed to another key than that of --key-file");
  return key;
}

/** A first chunk that does not open most likely has another key; a later one was changed, or cut off. */
async function* opened(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isFirst = true;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      isFirst = false;
      yield value;
    }
  } catch (error) {
    if (!(error instanceof SealedStreamError)) throw error;
    throw isFirst
      ? sealedOtherwise(
          "sealed, and does not open with this passphrase or key; or it was changed or cut off",
        )
      : new BackupError("backup_cut_off", "the sealed backup is cut off, or was changed");
  } finally {
    await reader.cancel().catch(() => {});
  }
}

const sealedOtherwise = (what: string): BackupError =>
  new BackupError("backup_sealed_otherwise", `the backup is ${what}`);

const streamKey = (secret: Bytes, header: Uint8Array): StreamKey => ({
  secret,
  purpose: `backup ${toHex(sha256(header))}`,
});
