/**
 * How the Worker asks an outbound proxy to make a request. A Worker cannot resolve names and has no say in which address
 * `fetch` connects to; the proxy resolves the name and connects to an address that it has checked. A request to the proxy is
 * the request to make, with these headers besides.
 */
export const PROXY_HEADERS = {
  /** Proves that the caller is the Worker that the proxy serves. */
  secret: "muster-proxy-secret",
  /** The URL to call, with the scheme http or https. */
  url: "muster-proxy-url",
  /** "true" allows addresses of the machine itself. */
  allowLoopback: "muster-proxy-allow-loopback",
  /** In an answer of the proxy itself: why it has none of the receiver. It passes no header of this name on. */
  fault: "muster-proxy-fault",
} as const;

export type ProxyFault =
  /** The secret is wrong. */
  | "forbidden"
  /** The URL is refused (`outboundUrl`). */
  | "url_refused"
  /** The name has addresses, but none that may be called. */
  | "not_public"
  | "unreachable"
  | "timeout";
