import { isLoopbackHost } from "./listen-address.ts";

/**
 * Whether a WebSocket comes from a web page of another machine. A browser names the page's origin (RFC 6455 section 10.2), and lets a page of
 * any site open sockets to this machine; other programs name none.
 */
export function isForeignPage(origin: string | undefined): boolean {
  if (origin === undefined) return false;
  // `null` is the origin of a sandboxed page, whose site is unknown.
  if (!URL.canParse(origin)) return true;
  const { hostname } = new URL(origin);
  return !isLoopbackHost(hostname.replace(/^\[|\]$/g, ""));
}
