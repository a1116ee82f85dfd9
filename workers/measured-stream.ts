import { toBase64 } from "../src/base/bytes.ts";

export interface MeasuredStream {
  /** The body's bytes; fails once they are more than `max`. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Whether the body had more bytes than `max`. */
  readonly overflowed: () => boolean;
  /** After the stream has ended: the number of bytes and their SHA-256 in base64. */
  readonly measured: () => Promise<{ readonly bytes: number; readonly sha256: string }>;
}

/** Counts and hashes a body while it is streamed, so that it is never in memory as a whole. */
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
