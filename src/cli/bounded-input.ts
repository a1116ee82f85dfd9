import { UsageError } from "./failure.ts";

const MiB = 1_048_576;
/** The largest file that an option takes: an event of a webhook has up to 25 MiB, anything else less. */
const INPUT_MIB_MAX = 32;

/** All bytes of an input. One without an end, such as /dev/zero or the output of `yes`, is refused as too large. */
export async function readBounded(
  input: AsyncIterable<Buffer>,
  name: string,
  mib: number = INPUT_MIB_MAX,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mib * MiB)
      throw new UsageError(`${name} has more than ${mib} MiB`, "check that it is the right one");
  }
  return Buffer.concat(chunks);
}
