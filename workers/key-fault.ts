import type { z } from "zod";
import type { MusterError } from "../src/protocol/errors.ts";

/** The fields of requests that are public keys. */
const KEY_FIELDS: ReadonlySet<PropertyKey | undefined> = new Set([
  "public_key",
  "pub",
  "seal_to",
  "challenge",
]);

/**
 * `bad_key`, if nothing is wrong with a request but a malformed public key: the same code as for a key that no peer can prove. Null for
 * any other fault, also if the key is missing.
 */
export function malformedKey({ issues }: z.ZodError): MusterError | null {
  const [first] = issues;
  const areKeys = issues.every(
    ({ code, path }) => code === "invalid_format" && KEY_FIELDS.has(path.at(-1)),
  );
  if (first === undefined || !areKeys) return null;
  return { code: "bad_key", detail: `${first.path.join(".")}: ${first.message}` };
}
