import { toBase64 } from "../src/base/bytes.ts";

interface Measured {
  readonly bytes: number;
  /** In base64. */
  readonly sha256: string;
  /** The first bytes, as Latin-1 text. */
  readonly first: string;
}

export interface MeasuredStream {
  /** The body's bytes; fails once they are more than `max`. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Why the body failed, or had more bytes than `max`; null otherwise. */
  readonly failure: () => unknown;
  /** After the stream has ended. */
  readonly measured: () => Promise<Measured>;
}

const FIRST_BYTES = 16;

/** Counts and hashes a body while it is streamed, so that it is never in memory as a whole. */
export function measureStream(body: ReadableStream<Uint8Array>, max: number): MeasuredStream {
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  // These reject when the body fails before its end; `failure` says so.
  for (const ended of [digest.digest, writer.closed, writer.ready]) ended.catch(() => {});
  let bytes = 0;
  let first = "";
  let failure: unknown = null;
  const reader = body.getReader();
  reader.closed.catch(() => {});
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            await writer.close();
            return controller.close();
          }
          bytes += value.length;
          if (bytes > max) throw new RangeError(`more than ${max} bytes`);
          if (first.length < FIRST_BYTES)
            first += String.fromCharCode(...value.subarray(0, FIRST_BYTES - first.length));
          await writer.write(value);
          controller.enqueue(value);
        } catch (error) {
          failure = error;
          controller.error(error);
          await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    failure: () => failure,
    measured: async () => ({ bytes, first, sha256: toBase64(new Uint8Array(await digest.digest)) }),
  };
}
