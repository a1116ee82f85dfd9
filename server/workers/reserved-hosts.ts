/** Names by which the Worker reaches services of its host. They are never in DNS (RFC 6761 section 6.4). */
export const PROXY_HOST = "outbound-proxy.muster.invalid";
export const LOCATIONS_HOST = "locations.muster.invalid";
