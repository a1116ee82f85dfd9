/** The web pages that may read the answers of a mesh or a replica: what `CORS_ORIGINS` says. */
import { err, ok, type Result } from "../base/result.ts";
import { isLoopbackHost } from "../protocol/ip-address.ts";

export interface PageOrigins {
  /** `*`: every page, of whatever origin. */
  readonly every: boolean;
  /** `localhost`: pages of the machine on which the browser runs, on any port. */
  readonly local: boolean;
  readonly listed: ReadonlySet<string>;
}

/** Preflights of one address in a minute. A page makes one for each URL: for each task that it follows. */
export const PREFLIGHTS_PER_MINUTE = 3_000;
export const PAGE_ORIGINS_MAX = 100;
/** A host name has 253 characters at most. */
const ORIGIN_CHARS_MAX = 300;

export const NO_PAGES: PageOrigins = { every: false, local: false, listed: new Set() };

/**
 * Reads a list of origins (`https://app.example, localhost`), or `*` or `none`, each of which stands alone. The error says which entry is
 * wrong, by its number: a value that stands in the wrong variable may be a secret.
 */
export function readPageOrigins(text: string): Result<PageOrigins, string> {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length === 1 && ["", "none"].includes(entries[0] ?? "")) return ok(NO_PAGES);
  if (entries.length === 1 && entries[0] === "*") return ok({ ...NO_PAGES, every: true });
  if (entries.length > PAGE_ORIGINS_MAX) return err(`has more than ${PAGE_ORIGINS_MAX} entries`);
  for (const [at, entry] of entries.entries()) {
    const fault = entry === "localhost" ? null : faultOf(entry);
    if (fault !== null) return err(`entry ${at + 1} ${fault}`);
  }
  return ok({
    every: false,
    local: entries.includes("localhost"),
    listed: new Set(entries.filter((entry) => entry !== "localhost")),
  });
}

/** Whether a page of this origin, as its browser states it, may read answers. */
export const admitsPage = ({ every, local, listed }: PageOrigins, origin: string): boolean =>
  every || listed.has(origin) || (local && isLocalPage(origin));

/** Schemes other than these two are of programs that show pages: `chrome-extension://ID`, `tauri://localhost`. */
const WEB = /^https?:$/;
const OTHER_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?$/;

/** What is wrong with an entry, which is compared with what browsers send letter by letter; null if nothing is. */
function faultOf(entry: string): string | null {
  if (entry === "") return "is empty";
  if (entry === "*" || entry === "none") return `is ${entry}, which must stand alone`;
  if (entry === "null")
    return "is null, the origin of any page in a sandbox: give the page an origin";
  if (entry.length > ORIGIN_CHARS_MAX) return `has more than ${ORIGIN_CHARS_MAX} characters`;
  if (entry.includes("*")) return "has a wildcard: list each origin, or set * alone for every page";
  const url = URL.parse(entry);
  if (url === null || (WEB.test(url.protocol) && url.hostname === ""))
    return "is not an origin like https://app.example";
  if (!WEB.test(url.protocol))
    return OTHER_ORIGIN.test(entry) ? null : "is not an origin like https://app.example";
  if (url.origin === entry) return null;
  return "is not an origin as browsers write it: scheme and host in lower case, a port only if it is not the scheme's own, no path and no / at the end";
}

/** A browser writes addresses in their one canonical form, without credentials or a path. */
const LOCAL_PAGE = /^https?:\/\/(?:\[([0-9a-f:]{2,39})\]|([a-z0-9.]{1,15}))(?::[0-9]{1,5})?$/;

function isLocalPage(origin: string): boolean {
  const [, ipv6, host] = LOCAL_PAGE.exec(origin) ?? [];
  const found = ipv6 ?? host;
  return found !== undefined && isLoopbackHost(found);
}
