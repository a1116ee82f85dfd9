import { SECOND } from "./clock.ts";
import { isFullError } from "./full-storage.ts";

/** The service of a host that looks at its disk. On Cloudflare there is none. */
export interface DiskService {
  fetch(url: string, init: { readonly signal: AbortSignal }): Promise<Response>;
}

const TEXT_CHARS_MAX = 200;
/** The disk is on the machine of the host. */
const ANSWER_TIMEOUT = SECOND;

/** What the disk of a self-hosted mesh lacks; null if it has room or its state is unknown. On Cloudflare there is no disk to ask about. */
export async function diskShortage(disk: DiskService | undefined): Promise<string | null> {
  if (disk === undefined) return null;
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    const response = await disk.fetch("http://disk/", { signal });
    const { shortage } = (await response.json()) as { readonly shortage?: unknown };
    return typeof shortage === "string" && shortage.length <= TEXT_CHARS_MAX ? shortage : null;
  } catch {
    return null;
  }
}

/**
 * How the runtime reports what failed outside of an object's own database: it keeps the reason to itself. And how SQLite reports a file that it could
 * not make or write, which has several reasons.
 */
const UNEXPLAINED = /internal error; reference = |SQLITE_CANTOPEN|SQLITE_IOERR/;

export const isUnexplainedText = (text: string): boolean => UNEXPLAINED.test(text);

/**
 * Whether a call of an object failed for want of room. SQLite's error says so if it is that of the object's database. workerd keeps the alarms
 * of all objects in another database: where that can't be written, the error says nothing, and the disk is asked.
 */
export async function lackedRoom(thrown: unknown, disk: DiskService | undefined): Promise<boolean> {
  if (isFullError(thrown)) return true;
  if (!(thrown instanceof Error && isUnexplainedText(thrown.message))) return false;
  return (await diskShortage(disk)) !== null;
}
