import { toBase64 } from "../src/base/bytes.ts";

export interface MeasuredStream {
  /** What comes through; fails once it is more than `max` bytes. */
  readonly stream: ReadableStream<Uint8Array>;
  /** True once it was more. */
  readonly overflowed: () => boolean;
  /** Once all has come through: how many bytes, and their SHA-256 in base64. */
  readonly measured: () => Promise<{ readonly bytes: number; readonly sha256: string }>;
}

/** Counts and digests a body while it passes, so that it is never held whole. */
export function measureStream(body: ReadableStream<Uint8Array>, max: number): MeasuredStream {
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  let bytes = 0;
  const stream = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        bytes += chunk.length;
        if (bytes > max) return controller.error(new RangeError(`more than ${max} bytes`));
        await writer.write(chunk);
        controller.enqueue(chunk);
      },
      flush: () => writer.close(),
    }),
  );
  return {
    stream,
    overflowed: () => bytes > max,
    measured: async () => ({ bytes, sha256: toBase64(new Uint8Array(await digest.digest)) }),
  };
}
