import { randomUUID, scrypt } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Bytes } from "../../base/bytes.ts";
import { ByteSource } from "../../backup/byte-source.ts";
import { BackupError, type BackupSummary, type Manifest } from "../../backup/format.ts";
import { readBackup, type BackupTarget } from "../../backup/read-backup.ts";
import {
  HEADER_BYTES_MAX,
  isSealedHeader,
  openBackup,
  sealBackup,
  type DeriveKey,
  type OpenWith,
  type SealTo,
} from "../../backup/sealed-backup.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import { isDiskFull } from "../disk-full.ts";
import { Failure, UsageError } from "../failure.ts";
import { HAS_NO_LINKS, errorCode, PRIVATE_FILE, unreadableInput, unwritable } from "../files.ts";
import { newHash } from "./new-hash.ts";

/** scrypt allocates 128 * N * r bytes, and refuses more than this. */
const SCRYPT_MEMORY_MAX = 2 ** 31;

const scryptKey = promisify<string, Buffer, number, object, Buffer>(scrypt);

const deriveKey: DeriveKey = async (passphrase, { salt, n, r, p }) =>
  new Uint8Array(
    await scryptKey(passphrase.normalize("NFC"), Buffer.from(salt, "hex"), 32, {
      N: n,
      r,
      p,
      maxmem: SCRYPT_MEMORY_MAX,
    }),
  );

/** Writes are gathered up to this. */
const WRITE_BYTES = 1_024 * 1_024;

/**
 * Writes a stream to a new private file: to a file beside it, which takes its name once every byte is on the disk. Refuses a file
 * that exists. Returns what the generator returns.
 */
export async function writeBackupFile(
  path: string,
  content: AsyncGenerator<Uint8Array, BackupSummary, undefined>,
  sealTo: SealTo | null,
): Promise<BackupSummary> {
  if ((await stat(path).catch(() => null)) !== null) throw exists(path);
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx", PRIVATE_FILE).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  try {
    let summary: BackupSummary | null = null;
    const plain = noting(content, (value) => (summary = value));
    await writeAll(file, sealTo === null ? plain : sealedChunks(plain, sealTo));
    await file.sync();
    await file.close();
    await publish(temporary, path);
    if (summary === null) throw new Error("the backup has no end");
    return summary;
  } catch (error) {
    if (isDiskFull(error))
      throw new Failure(
        `the disk is full: ${path} was not written`,
        "free space, or choose another --out",
      );
    throw error;
  } finally {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
  }
}

const exists = (path: string): Failure =>
  new Failure(`${path} exists already`, "choose another --out: a backup is never overwritten");

async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === "EEXIST") throw exists(path);
    if (!HAS_NO_LINKS.has(errorCode(error) ?? "")) throw error;
    await rename(temporary, path);
  }
}

async function* noting<T, R>(
  source: AsyncGenerator<T, R, undefined>,
  onEnd: (value: R) => void,
): AsyncGenerator<T, void, undefined> {
  onEnd(yield* source);
}

async function* sealedChunks(
  plain: AsyncGenerator<Uint8Array, void, undefined>,
  to: SealTo,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sealing = await sealBackup(streamOf(plain), to, deriveKey, platformRandom);
  if (sealing === null)
    throw new UsageError("the public key of --to is not valid", "pass 64 hex characters");
  yield sealing.header;
  yield* sealing.sealed;
}

const streamOf = (chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(chunks)) as ReadableStream<Uint8Array>;

async function writeAll(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (parts.length > 0) await file.writev(parts);
    parts = [];
    bytes = 0;
  };
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= WRITE_BYTES) await flush();
  }
  await flush();
}

/** Reads a backup only to check it. */
export const NO_TARGET: BackupTarget = {
  manifest: () => {},
  async result(_, content) {
    for await (const part of content) void part;
  },
  cell: () => {},
  table: () => {},
  rows: () => {},
};

/** A backup that was read whole. */
export interface OpenedBackup {
  readonly manifest: Manifest;
  readonly summary: BackupSummary;
  readonly sealed: boolean;
}

/** Reads a backup file to its end, and checks it whole. */
export async function readBackupFile(
  path: string,
  target: BackupTarget,
  opener: OpenWith | null,
): Promise<OpenedBackup> {
  const header = await firstLine(path);
  const sealed = header !== null && isSealedHeader(header);
  const chunks = sealed
    ? await openBackup(header, streamOf(fileChunks(path, header.length)), opener, deriveKey)
    : fileChunks(path, 0);
  return { ...(await readBackup(chunks, target, newHash)), sealed };
}

const READ_BYTES = 256 * 1_024;

const fileChunks = (path: string, start: number): AsyncIterable<Uint8Array> =>
  createReadStream(path, { start, highWaterMark: READ_BYTES });

/** The first line with its newline; null for a file whose first line is too long, or has no end. */
async function firstLine(path: string): Promise<Bytes | null> {
  try {
    const line = await new ByteSource(fileChunks(path, 0)).line(HEADER_BYTES_MAX);
    return line === null ? null : new Uint8Array(line);
  } catch (error) {
    if (error instanceof BackupError) return null;
    throw unreadableInput(path, error, "pass the file of a backup");
  }
}
