import { redactUrl } from "../base/redact.ts";
import { OptionsError } from "./errors.ts";

const SOCKET_SCHEME: Readonly<Record<string, string>> = {
  "http:": "ws:",
  "https:": "wss:",
  "ws:": "ws:",
  "wss:": "wss:",
};

/** The WebSocket URL of a mesh; throws an `OptionsError` if `base` is not an http(s) or ws(s) URL. */
export function connectUrl(base: string): string {
  const url = meshUrl(base);
  url.protocol = SOCKET_SCHEME[url.protocol] as string;
  return `${url.href}v1/connect`;
}

/** The base URL of a mesh's HTTP API, ending in a slash; throws as `connectUrl` does. */
export function apiBase(base: string): string {
  const url = meshUrl(base);
  url.protocol =
    url.protocol === "ws:" ? "http:" : url.protocol === "wss:" ? "https:" : url.protocol;
  return url.href;
}

function meshUrl(base: string): URL {
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url === null || SOCKET_SCHEME[url.protocol] === undefined) {
    throw new OptionsError(
      `"${redactUrl(base)}" is not the URL of a mesh: it must begin with http:// or https://`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new OptionsError("the URL of a mesh has no user and no password; pass a token instead");
  }
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
