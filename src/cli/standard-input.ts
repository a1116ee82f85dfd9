import { readBounded } from "./bounded-input.ts";
import { UsageError } from "./failure.ts";

let readFor: string | null = null;

/** The whole standard input. `what` is what it is read for: two values cannot both come from there. */
export async function readStandardInput(what: string): Promise<string> {
  if (readFor !== null)
    throw new UsageError(
      `${readFor} and ${what} cannot both be read from stdin`,
      "pass one of them in another way",
    );
  readFor = what;
  return (await readBounded(process.stdin, "stdin")).toString("utf8");
}
