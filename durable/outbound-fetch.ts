import { err, ok, type Result } from "../src/base/result.ts";
import { PROXY_HEADERS, type ProxyFault } from "../src/protocol/outbound-proxy.ts";

/** An outbound proxy and the secret that it asks for. */
export interface OutboundProxyAccess {
  readonly url: string;
  readonly secret: string;
}

/**
 * Sends a request to a URL that someone gave the mesh (`outboundUrl`), without following redirects. The error is for whoever
 * reads the attempts: the host has no address that may be called. Throws, as `fetch` does, when there is no answer.
 */
export type OutboundFetch = (url: string, init: RequestInit) => Promise<Result<Response, string>>;

const NOT_PUBLIC = "the host name resolves to an address that is not public";

/**
 * Through the outbound proxy if there is one. Without it the network of the platform decides to which addresses a name may lead:
 * Cloudflare's reaches no private address, and workerd's is configured.
 */
export function outboundFetch(
  proxy: OutboundProxyAccess | null,
  allowLoopback: boolean,
): OutboundFetch {
  if (proxy === null)
    return async (url, init) => ok(await fetch(url, { ...init, redirect: "manual" }));
  return async (url, init) => {
    const headers = new Headers(init.headers);
    headers.set(PROXY_HEADERS.secret, proxy.secret);
    headers.set(PROXY_HEADERS.url, url);
    headers.set(PROXY_HEADERS.allowLoopback, String(allowLoopback));
    const response = await fetch(proxy.url, { ...init, headers, redirect: "manual" });
    const fault = response.headers.get(PROXY_HEADERS.fault) as ProxyFault | null;
    if (fault === null) return ok(response);
    await response.body?.cancel();
    if (fault === "not_public") return err(NOT_PUBLIC);
    throw new Error(`the outbound proxy has no answer: ${fault}`);
  };
}
