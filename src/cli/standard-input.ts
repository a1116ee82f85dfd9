import { readBounded } from "./bounded-input.ts";
import { UsageError } from "./failure.ts";

let readFor: string | null = null;

/** The whole standard input. `what` is what it is read for: two values cannot both come from there. */
export const readStandardInput = async (what: string): Promise<string> =>
  (await readStandardInputBytes(what)).toString("utf8");

/** @param mib how much of it is read at most; default: as much as of a file */
export function readStandardInputBytes(what: string, mib?: number): Promise<Buffer> {
  if (readFor !== null)
    throw new UsageError(
      `${readFor} and ${what} cannot both be read from stdin`,
      "pass one of them in another way",
    );
  readFor = what;
  return readBounded(process.stdin, "stdin", mib);
}
