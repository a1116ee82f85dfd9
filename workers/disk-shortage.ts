import { z } from "zod";
import { SECOND } from "../src/base/clock.ts";

const Answer = z.object({ shortage: z.string().max(200).nullable() });

/** The disk is on the machine of the host. */
const ANSWER_TIMEOUT = SECOND;

/** What the disk of a self-hosted mesh lacks; null if it has room or its state is unknown. On Cloudflare there is no disk to ask about. */
export async function diskShortage(
  disk: Pick<Fetcher, "fetch"> | undefined,
): Promise<string | null> {
  if (disk === undefined) return null;
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    const response = await disk.fetch("http://disk/", { signal });
    return Answer.parse(await response.json()).shortage;
  } catch {
    return null;
  }
}
