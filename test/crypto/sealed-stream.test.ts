import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, type Bytes } from "../../src/base/bytes.ts";
import { nativeAesGcm, portableAesGcm } from "../../src/crypto/aes-gcm.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  openBytes,
  openedStream,
  sealBytes,
  sealedBytes,
  sealedStream,
  type StreamKey,
} from "../../src/crypto/sealed-stream.ts";
import { seededRandom } from "../random.ts";
import { waitFor } from "../wait-for.ts";

const CHUNK = 256 * 1_024;
const SEALED_CHUNK = CHUNK + 16;
const SALT = 32;
const KEY: StreamKey = { secret: seededRandom(1)(32), purpose: "upload" };

const sealed = (bytes: Bytes) => sealBytes(bytes, KEY, platformRandom);

type Transform = (stream: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;
const sealing: Transform = (plain) => sealedStream(plain, KEY, platformRandom);
const opening: Transform = (stream) => openedStream(stream, KEY);

/** The bytes by pieces of this size, and how many of them were read. */
function piecesOf(bytes: Bytes, size: number) {
  const pieces = {
    at: 0,
    stream: new ReadableStream<Uint8Array>(
      {
        pull(out) {
          if (pieces.at >= bytes.length) return out.close();
          out.enqueue(bytes.slice(pieces.at, pieces.at + size));
          pieces.at = Math.min(bytes.length, pieces.at + size);
        },
      },
      { highWaterMark: 0 },
    ),
  };
  return pieces;
}
const byPieces = async (bytes: Bytes, size: number, transform: Transform): Promise<Bytes> =>
  new Uint8Array(await new Response(transform(piecesOf(bytes, size).stream)).arrayBuffer());

const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17];

describe("a sealed stream", () => {
  test.for(SIZES)(
    "AS100 of %i bytes opens to the same bytes and has the stated length",
    async (size) => {
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const whole = concat(...Array.from({ length: Math.ceil(size / 65_536) }, () => bytes)).slice(
        0,
        size,
      );
      const stream = await sealed(whole);
      expect(stream.length).toBe(sealedBytes(size));
      for (const piece of [7_919, CHUNK, 1_000_003])
        expect(await byPieces(stream, piece, opening)).toEqual(whole);
      expect(await byPieces(await byPieces(whole, 7_919, sealing), 31, opening)).toEqual(whole);
    },
  );

  test("AS100 does not open with one bit changed, anywhere", async () => {
    const stream = await sealed(new Uint8Array(2 * CHUNK + 5));
    await fc.assert(
      fc.asyncProperty(fc.nat(stream.length - 1), fc.nat(7), async (at, bit) => {
        const changed = stream.with(at, (stream[at] as number) ^ (1 << bit));
        expect(await openBytes(changed, KEY)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  const part = (stream: Bytes, n: number) =>
    stream.slice(SALT + n * SEALED_CHUNK, SALT + (n + 1) * SEALED_CHUNK);
  test.for([
    ["cut off after a chunk", (s: Bytes) => s.slice(0, SALT + 2 * SEALED_CHUNK)],
    ["cut off in a chunk", (s: Bytes) => s.slice(0, -1)],
    ["without its salt", (s: Bytes) => s.slice(SALT)],
    ["that is empty", () => new Uint8Array()],
    ["of the salt only", (s: Bytes) => s.slice(0, SALT)],
    [
      "with two chunks exchanged",
      (s: Bytes) => concat(s.slice(0, SALT), part(s, 1), part(s, 0), part(s, 2)),
    ],
    [
      "with a chunk repeated",
      (s: Bytes) => concat(s.slice(0, SALT), part(s, 0), part(s, 0), part(s, 1), part(s, 2)),
    ],
    ["with a chunk left out", (s: Bytes) => concat(s.slice(0, SALT), part(s, 0), part(s, 2))],
    ["with bytes after its end", (s: Bytes) => concat(s, new Uint8Array(1))],
    ["followed by itself", (s: Bytes) => concat(s, s)],
  ] as const)("AS100 %s does not open", async ([, change]) => {
    const long = await sealed(
      concat(...Array.from({ length: 3 }, () => new Uint8Array(CHUNK).fill(3))),
    );
    expect(await openBytes(change(long), KEY)).toBeNull();
    expect((await openBytes(long, KEY))?.length).toBe(3 * CHUNK);
  });

  test("AS100 opens for its own secret and purpose only, and two streams of the same bytes differ", async () => {
    const bytes = new Uint8Array(100);
    const [one, two] = [await sealed(bytes), await sealed(bytes)];
    expect(one).not.toEqual(two);
    for (const key of [
      { ...KEY, secret: seededRandom(2)(32) },
      { ...KEY, purpose: "read" },
    ])
      expect(await openBytes(one, key)).toBeNull();
  });

  test.for([
    ["sealing", sealing],
    ["opening", opening],
  ] as const)("AS106 reads at most one chunk ahead while %s", async ([kind, transform]) => {
    const plain = new Uint8Array(8 * CHUNK).fill(1);
    const pieces = piecesOf(kind === "sealing" ? plain : await sealed(plain), 10_000);
    const reader = transform(pieces.stream).getReader();
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      // The last piece of a chunk is read with the first bytes of the next one.
      expect(pieces.at - length).toBeLessThanOrEqual(SEALED_CHUNK + 10_000);
    }
    expect(length).toBe(kind === "sealing" ? sealedBytes(plain.length) : plain.length);
  });

  test("AS106 that is given up gives up its source", async () => {
    let cancelled = 0;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (out) => out.enqueue(new Uint8Array(CHUNK)),
        cancel: () => void cancelled++,
      });
    for (const transform of [sealing, opening]) {
      const reader = transform(endless()).getReader();
      await reader.read().catch(() => {});
      await reader.cancel().catch(() => {});
    }
    await waitFor(() => expect(cancelled).toBe(2));
  });
});

test("AS100 AES-256-GCM in JavaScript and by WebCrypto give the same bytes, and open each other's", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.uint8Array({ maxLength: 300 }),
      async (key, nonce, plaintext) => {
        const [portable, native] = [portableAesGcm(key), await nativeAesGcm(key)];
        const one = await portable.seal(nonce, plaintext);
        expect(await native.seal(nonce, plaintext)).toEqual(one);
        expect(await native.open(nonce, one)).toEqual(new Uint8Array(plaintext));
        expect(await portable.open(nonce, one)).toEqual(new Uint8Array(plaintext));
        const forged = one.with(0, (one[0] as number) ^ 1);
        expect([await native.open(nonce, forged), await portable.open(nonce, forged)]).toEqual([
          null,
          null,
        ]);
        expect(await native.open(nonce, one.slice(0, 15))).toBeNull();
      },
    ),
    { numRuns: 40 },
  );
});
