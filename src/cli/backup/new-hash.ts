import { createHash } from "node:crypto";
import type { NewHash } from "../../base/streamed-hash.ts";

/** SHA-256 by the platform. */
export const newHash: NewHash = () => {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
};
