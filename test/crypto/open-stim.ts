import { fromUtf8, type Bytes } from "../../src/base/bytes.ts";
import { openSigil } from "../../src/crypto/sigil.ts";
import { smsgKey } from "../../src/crypto/smsg.ts";
import { decodeContainer } from "../../src/crypto/trix.ts";
import { must, present } from "../must.ts";

/** What a STIM container contains. */
interface OpenedStim {
  readonly header: unknown;
  readonly config: Bytes;
  readonly files: ReadonlyMap<string, Bytes>;
}

/** Opens a STIM container, as a go-p2p node does. Throws when it does not open. */
export function openStim(password: string, sealed: Uint8Array): OpenedStim {
  const { header, payload } = must(decodeContainer("STIM", sealed));
  const size = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  const key = smsgKey(password);
  const config = present(openSigil(key, payload.subarray(4, 4 + size)));
  return { header, config, files: readTar(present(openSigil(key, payload.subarray(4 + size)))) };
}

const BLOCK = 512;

/** The regular files of a tar archive. */
function readTar(archive: Bytes): ReadonlyMap<string, Bytes> {
  const files = new Map<string, Bytes>();
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const name = textAt(archive, at, 100);
    const size = Number.parseInt(textAt(archive, at + 124, 12), 8);
    files.set(name, archive.slice(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

const textAt = (archive: Bytes, at: number, length: number): string =>
  present(fromUtf8(archive.subarray(at, at + length))).split("\0")[0] ?? "";
