import { utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { platformAesGcm, type AesGcm } from "./aes-gcm.ts";
import { TAG_BYTES } from "./primitives/chacha.ts";
import { hkdfSha256 } from "./primitives/hashes.ts";

/**
 * A byte stream that is encrypted and authenticated in chunks (the STREAM construction), so that 25 MiB are sealed and opened
 * with two chunks in memory: a salt, then chunks of 256 KiB, each under AES-256-GCM. The key is derived from the shared secret,
 * the purpose and the salt. A chunk's nonce is its number and whether it is the last one: a chunk that is changed, repeated,
 * moved or left out, and a stream that is cut off, do not open.
 */
const SALT_BYTES = 32;
const CHUNK_BYTES = 256 * 1_024;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/** A secret that both sides have, and what the stream is for: a stream for one purpose does not open for another. */
export interface StreamKey {
  readonly secret: Uint8Array;
  readonly purpose: string;
}

/** The stream's bytes differ from those that were sealed under this key. */
export class SealedStreamError extends Error {
  override readonly name = "SealedStreamError";
}

/** The number of bytes of a sealed stream. */
export const sealedBytes = (bytes: number): number =>
  SALT_BYTES + bytes + TAG_BYTES * Math.max(1, Math.ceil(bytes / CHUNK_BYTES));

/** The sealed bytes of a stream. */
export const sealedStream = (
  plain: ReadableStream<Uint8Array>,
  key: StreamKey,
  random: RandomBytes,
): ReadableStream<Uint8Array> =>
  mapped(plain, (parts) => sealedChunks(parts, key, random(SALT_BYTES)));

/** What a sealed stream contains. The stream fails with a `SealedStreamError` at the first chunk that does not open. */
export const openedStream = (
  sealed: ReadableStream<Uint8Array>,
  key: StreamKey,
): ReadableStream<Uint8Array> => mapped(sealed, (parts) => openedChunks(parts, key));

/** The same for bytes in memory. */
export const sealBytes = (plain: Bytes, key: StreamKey, random: RandomBytes): Promise<Bytes> =>
  collected(sealedStream(new Blob([plain]).stream(), key, random));

/** Null for bytes that do not open. */
export async function openBytes(sealed: Bytes, key: StreamKey): Promise<Bytes | null> {
  try {
    return await collected(openedStream(new Blob([sealed]).stream(), key));
  } catch (error) {
    if (error instanceof SealedStreamError) return null;
    throw error;
  }
}

async function* sealedChunks(plain: Parts, key: StreamKey, salt: Bytes): Parts {
  yield salt;
  const cipher = await cipherOf(key, salt);
  const chunks = new Chunks(CHUNK_BYTES);
  const nonces = new Nonces();
  for await (const input of plain)
    for (const chunk of chunks.push(input)) yield await cipher.seal(nonces.next(false), chunk);
  yield await cipher.seal(nonces.next(true), chunks.rest());
}

async function* openedChunks(sealed: Parts, key: StreamKey): Parts {
  const salt = new Uint8Array(SALT_BYTES);
  let saltBytes = 0;
  let cipher: AesGcm | null = null;
  const chunks = new Chunks(CHUNK_BYTES + TAG_BYTES);
  const nonces = new Nonces();
  for await (const input of sealed) {
    const rest = input.subarray(SALT_BYTES - saltBytes);
    salt.set(input.subarray(0, SALT_BYTES - saltBytes), saltBytes);
    saltBytes += input.length - rest.length;
    if (saltBytes === SALT_BYTES) cipher ??= await cipherOf(key, salt);
    for (const chunk of chunks.push(rest))
      yield orFail((await cipher?.open(nonces.next(false), chunk)) ?? null);
  }
  yield orFail((await cipher?.open(nonces.next(true), chunks.rest())) ?? null);
}

function orFail(opened: Bytes | null): Bytes {
  if (opened !== null) return opened;
  throw new SealedStreamError("the bytes are not those that were sealed with this key");
}

type Parts = AsyncGenerator<Uint8Array, void, undefined>;

/** A stream of other parts. It reads its source only when it is read, and cancels it when it fails or is given up. */
function mapped(
  source: ReadableStream<Uint8Array>,
  map: (parts: Parts) => Parts,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  reader.closed.catch(() => {}); // a failure of the source also rejects the read
  const parts = map(partsOf(reader));
  const giveUp = (reason: unknown) => reader.cancel(reason).catch(() => {});
  return new ReadableStream(
    {
      async pull(out) {
        try {
          const { done, value } = await parts.next();
          if (done === true) out.close();
          else out.enqueue(value);
        } catch (error) {
          out.error(error);
          await giveUp(error);
        }
      },
      cancel: giveUp,
    },
    { highWaterMark: 0 },
  );
}

async function* partsOf(reader: ReadableStreamDefaultReader<Uint8Array>): Parts {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

const collected = async (stream: ReadableStream<Uint8Array>): Promise<Bytes> =>
  new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());

const cipherOf = ({ secret, purpose }: StreamKey, salt: Uint8Array): Promise<AesGcm> =>
  platformAesGcm(hkdfSha256(secret, utf8(`muster/stream/1 ${purpose}`), KEY_BYTES, salt));

/** The nonces of one stream: 11 bytes of the chunk's number, then 1 for the last chunk and 0 for the others. */
class Nonces {
  #number = 0;

  next(isLast: boolean): Bytes {
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setUint32(NONCE_BYTES - 5, this.#number++);
    nonce[NONCE_BYTES - 1] = Number(isLast);
    return nonce;
  }
}

/** Cuts a stream into chunks of one size. A chunk is given out once more bytes follow, so that the last one is known. */
class Chunks {
  readonly #size: number;
  #chunk: Bytes;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#chunk = new Uint8Array(size);
  }

  /** The chunks that are complete, and followed by more bytes. */
  *push(input: Uint8Array): Generator<Bytes, void, undefined> {
    let at = 0;
    while (at < input.length) {
      if (this.#length === this.#size) yield this.#take();
      const part = input.subarray(at, at + this.#size - this.#length);
      this.#chunk.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  /** What is left at the end of the stream. */
  rest(): Bytes {
    return this.#chunk.slice(0, this.#length);
  }

  #take(): Bytes {
    const whole = this.#chunk;
    this.#chunk = new Uint8Array(this.#size);
    this.#length = 0;
    return whole;
  }
}
