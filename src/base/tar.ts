import { concat, utf8, type Bytes } from "./bytes.ts";

/** A file of an archive. */
export interface ArchivedFile {
  /** Relative, with `/` between its parts; `TAR_NAME_BYTES_MAX` bytes at most. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The name of a file in an archive has room for so many bytes in UTF-8. */
export const TAR_NAME_BYTES_MAX = 100;

const BLOCK_BYTES = 512;
/** Two blocks of zeros end an archive. */
const END_BYTES = 2 * BLOCK_BYTES;
const MAGIC_AT = 257;
const MAGIC = "ustar";

/** The offset and the length of a header's fields (POSIX 1003.1, ustar). */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [MAGIC_AT, 6],
  version: [263, 2],
} as const;

/** An archive of regular files that their owner may run. */
export const tarOf = (files: readonly ArchivedFile[]): Bytes =>
  concat(
    ...files.flatMap(({ name, content }) => [
      headerOf(name, content.length),
      content,
      new Uint8Array(padding(content.length)),
    ]),
    new Uint8Array(END_BYTES),
  );

/** Whether the bytes begin as an archive does. */
export const isTar = (bytes: Uint8Array): boolean =>
  bytes.length >= BLOCK_BYTES &&
  bytes.length % BLOCK_BYTES === 0 &&
  utf8(MAGIC).every((byte, index) => bytes[MAGIC_AT + index] === byte);

const padding = (bytes: number): number => (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;

function headerOf(name: string, size: number): Bytes {
  const header = new Uint8Array(BLOCK_BYTES);
  const write = (field: keyof typeof FIELDS, text: string): void =>
    header.set(utf8(text), FIELDS[field][0]);
  const writeOctal = (field: keyof typeof FIELDS, value: number): void =>
    write(field, value.toString(8).padStart(FIELDS[field][1] - 1, "0"));
  write("name", name);
  writeOctal("mode", 0o755);
  writeOctal("uid", 0);
  writeOctal("gid", 0);
  writeOctal("size", size);
  writeOctal("mtime", 0);
  write("type", "0");
  write("magic", `${MAGIC}\0`);
  write("version", "00");
  // The checksum counts its own field as spaces.
  write("checksum", " ".repeat(FIELDS.checksum[1]));
  const sum = header.reduce((total, byte) => total + byte, 0);
  write("checksum", `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}
