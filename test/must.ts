import { fromBase64, fromHex, type Bytes } from "../src/base/bytes.ts";
import type { Result } from "../src/base/result.ts";

/** The value of a Result; throws if it is an error. */
export function must<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new Error(`unexpected fault: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** The error of a Result; throws if it is ok. */
export function mustFail<T, E>(result: Result<T, E>): E {
  if (result.ok) throw new Error(`unexpectedly ok: ${JSON.stringify(result.value)}`);
  return result.error;
}

/** The bytes of a base64 constant. */
export const bytesOf = (base64: string): Bytes => present(fromBase64(base64));

/** The bytes of a hex constant. */
export const hexBytes = (hex: string): Bytes => present(fromHex(hex));

export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("a value was expected here");
  return value;
}
