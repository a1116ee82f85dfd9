import { clientAddress, type TrustedProxies } from "../src/access/client-address.ts";

/**
 * The address of the client that sent a request; empty if it is unknown. workerd outside of Cloudflare reports the address of
 * the socket in `request.cf`, which no client can set. Cloudflare does not; it sets `CF-Connecting-IP` itself, as the front of
 * `muster start` does. A request without `cf` passed neither, so that header is then the client's own claim.
 */
export function addressOf(request: Request, trusted: TrustedProxies): string {
  const cf = request.cf as { readonly clientIp?: unknown } | undefined;
  const { headers } = request;
  const socket = typeof cf?.clientIp === "string" ? cf.clientIp : null;
  const connection = socket ?? (cf === undefined ? "" : headers.get("CF-Connecting-IP")) ?? "";
  return clientAddress(connection, headers.get("X-Forwarded-For"), trusted);
}
