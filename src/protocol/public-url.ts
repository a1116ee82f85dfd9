/** `PUBLIC_URL`: where others reach a mesh that does not know its own address, as behind a proxy or in a container. */
import { err, ok, type Result } from "../base/result.ts";
import { readUrlHost } from "./ip-address.ts";

const PUBLIC_URL_CHARS_MAX = 300;

/**
 * Reads the URL, and returns it without a slash at its end. Error texts follow the name of the setting and have no part of the value, which may be a
 * secret in the wrong place.
 */
export function readPublicUrl(text: string): Result<string, string> {
  const reason = faultOf(text);
  if (reason !== null) return err(`is not a URL like https://mesh.example: it ${reason}`);
  return ok(new URL(text).href.replace(/\/+$/, ""));
}

function faultOf(text: string): string | null {
  if (text.length > PUBLIC_URL_CHARS_MAX) return `has more than ${PUBLIC_URL_CHARS_MAX} characters`;
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\/[^\s/\\]/i.test(text))
    return "does not begin with http:// or https:// and a host";
  if (url.username !== "" || url.password !== "") return "has a user or a password";
  if (/[?#]/.test(text)) return "has a query or a fragment";
  // Links are pasted into shells.
  if (!/^[\w.:[\]/~-]*$/.test(`${url.host}${url.pathname}`))
    return "has other characters than letters, digits and . : [ ] / ~ _ -";
  if (readUrlHost(url.hostname)?.every((octet) => octet === 0) === true)
    return "has an address that stands for all addresses of a machine, and leads nowhere";
  return null;
}

/** The `muster://` link of a mesh. It means https, or http for a mesh on the caller's machine. */
export const meshLink = (address: string, meshKey: string, joinKey: string): string =>
  `muster://${address}/#${meshKey}&join=${joinKey}`;
