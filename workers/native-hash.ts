import type { Bytes } from "../src/base/bytes.ts";
import type { NewHash } from "../src/base/streamed-hash.ts";

/** SHA-256 by the platform. */
export const nativeHash: NewHash = () => {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  // A hash that is given up is never closed.
  for (const ended of [stream.digest, writer.closed]) ended.catch(() => {});
  return {
    update: (bytes) => writer.write(bytes),
    async digest(): Promise<Bytes> {
      await writer.close();
      return new Uint8Array(await stream.digest);
    },
  };
};
