import { LOCATIONS_HOST, PROXY_HOST } from "./reserved-hosts.ts";

/**
 * The outbound network of the Worker on plain workerd. Its own services on this machine have reserved names, and the services that the operator
 * has configured may be private. Everything else goes to a network that reaches public addresses only.
 */
interface OutboundEnv {
  /** The outbound proxy. */
  readonly PROXY: Fetcher;
  /** The service that locates addresses; absent without a GeoIP database. */
  readonly LOCATIONS?: Fetcher;
  /** Reaches any address. */
  readonly CONFIGURED: Fetcher;
  /** Reaches public addresses only. */
  readonly PUBLIC: Fetcher;
  /** Origins of the services that the operator has configured, separated by spaces. */
  readonly CONFIGURED_ORIGINS: string;
}

export default {
  fetch: (request, env) => serviceFor(new URL(request.url), env).fetch(request),
} satisfies ExportedHandler<OutboundEnv>;

function serviceFor({ hostname, origin }: URL, env: OutboundEnv): Fetcher {
  if (hostname === PROXY_HOST) return env.PROXY;
  if (hostname === LOCATIONS_HOST && env.LOCATIONS !== undefined) return env.LOCATIONS;
  return env.CONFIGURED_ORIGINS.split(" ").includes(origin) ? env.CONFIGURED : env.PUBLIC;
}
