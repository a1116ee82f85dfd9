import { OptionsError } from "./errors.ts";

const SOCKET_SCHEME: Readonly<Record<string, string>> = {
  "http:": "ws:",
  "https:": "wss:",
  "ws:": "ws:",
  "wss:": "wss:",
};

/** Where a mesh takes WebSockets; throws an `OptionsError` when `base` is not the URL of one. */
export function connectUrl(base: string): string {
  const url = meshUrl(base);
  url.protocol = SOCKET_SCHEME[url.protocol] as string;
  return `${url.href}v1/connect`;
}

/** The mesh's HTTP base, ending in a slash. */
export function apiBase(base: string): string {
  const url = meshUrl(base);
  url.protocol =
    url.protocol === "ws:" ? "http:" : url.protocol === "wss:" ? "https:" : url.protocol;
  return url.href;
}

function meshUrl(base: string): URL {
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url === null || SOCKET_SCHEME[url.protocol] === undefined) {
    throw new OptionsError(`the URL of a mesh begins with http:// or https://, not "${base}"`);
  }
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
