import { admitsPage, readPageOrigins, type PageOrigins } from "../../src/access/page-origins.ts";
import { Failure } from "../../src/cli/failure.ts";

/** The pages that may read the answers of a mesh of `muster start`, unless its operator sets `CORS_ORIGINS`. */
export const CORS_ORIGINS_DEFAULT = "localhost";

/** The pages that `CORS_ORIGINS` lists. */
export function pageOriginsOf(text: string = CORS_ORIGINS_DEFAULT): PageOrigins {
  const pages = readPageOrigins(text);
  if (!pages.ok) throw new Failure(`CORS_ORIGINS ${pages.error}`);
  return pages.value;
}

/**
 * Whether a WebSocket comes from a web page that is not listed. A browser names the page's origin (RFC 6455 section 10.2), and lets a page of
 * any site open sockets to this machine; other programs name none.
 */
export const isForeignPage = (pages: PageOrigins, origin: string | undefined): boolean =>
  origin !== undefined && !admitsPage(pages, origin);
