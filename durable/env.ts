import type { CoordinatorRpc, PeerSessionRpc } from "./rpc.ts";

/** Bindings, variables and secrets of the Worker. Variables may hold any text: config.ts validates them. */
export interface Env {
  readonly PEER_SESSION: DurableObjectNamespace<PeerSessionRpc>;
  readonly COORDINATOR: DurableObjectNamespace<CoordinatorRpc>;
  readonly BLOBS: KVNamespace;
  /** What the disk has left (workers/disk-shortage.ts). Only the host of a self-hosted mesh provides it. */
  readonly DISK?: Fetcher;
  /** The store to which discovery is copied for replicas: Redis behind Upstash's REST API. */
  readonly UPSTASH_REDIS_REST_URL?: string;
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
  readonly MESH_NAME?: string;
  /** Where others reach the mesh; default: where each request was sent. */
  readonly PUBLIC_URL?: string;
  /** "allowlist" (the default) or "open", until one is set over HTTP. */
  readonly AUTH_MODE?: string;
  readonly DISCOVERY_PUBLIC?: string;
  /** "listed", "all" or "none": which peers may find and open the records of other peers. */
  readonly DISCOVERY_MEMBERS?: string;
  /** Public fields of peers: any of role, capabilities, region, score, separated by commas. */
  readonly DISCOVERY_METADATA?: string;
  /** "false" disables go-p2p 1.0. */
  readonly GO_P2P?: string;
  /** How many coordinator cells the mesh has (docs/scale.md). */
  readonly CELLS?: string;
  readonly PEERS_MAX?: string;
  readonly HANDSHAKES_PER_MINUTE?: string;
  readonly FAILED_AUTHORIZATIONS_PER_MINUTE?: string;
  readonly FAILED_DELIVERIES_PER_MINUTE?: string;
  readonly DISCOVERY_READS_PER_MINUTE?: string;
  readonly PREFLIGHTS_PER_MINUTE?: string;
  /** Origins of the web pages that may read answers. */
  readonly CORS_ORIGINS?: string;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly TRUSTED_PROXIES?: string;
  /** How many dialed sessions may be open at once. */
  readonly DIALS_MAX?: string;
  /** "true" allows the mesh to call this machine itself: for tests. */
  readonly ALLOW_LOOPBACK?: string;
  readonly OUTBOUND_ALLOW?: string;
  readonly RECONNECT_SPREAD_SECONDS?: string;
  readonly PEER_RETENTION_DAYS?: string;
  /** How a task's peer is chosen: `expected-cost` (with the two shares below) or `best-score`. */
  readonly SELECTION_POLICY?: string;
  readonly SHARE_MAX?: string;
  readonly NEWCOMER_SHARE?: string;
  /** `latency=N,reliability=N,hops=N,distance=N`, which sum to 1. */
  readonly SCORE_WEIGHTS?: string;
  /** What locates peers by their address: `platform`, `none`, or the URL of a service. */
  readonly LOCATION_SERVICE?: string;
  /** What makes requests to URLs that callers gave (src/protocol/outbound-proxy.ts), and the secret that it asks for. */
  readonly OUTBOUND_PROXY?: string;
  readonly OUTBOUND_PROXY_SECRET?: string;
  /** The collector that gets spans by OTLP/HTTP, what authorizes there, and the share of traces that it gets. */
  readonly OTLP_ENDPOINT?: string;
  readonly OTLP_HEADERS?: string;
  readonly TRACE_SAMPLE?: string;
  /** The lowest level of the lines that are logged: `debug`, `info` (the default), `warn` or `error`. */
  readonly LOG_LEVEL?: string;
  /** Where the mesh's callers are, in degrees; distances to peers are measured from there. */
  readonly MESH_LATITUDE?: string;
  readonly MESH_LONGITUDE?: string;
  /** When alerts fire; "off" for never (durable/alert-variables.ts). */
  readonly ALERT_PEER_DOWN_MINUTES?: string;
  readonly ALERT_MASS_FAILURE_PEERS?: string;
  readonly ALERT_CIRCUIT_OPEN_MINUTES?: string;
  readonly ALERT_STORAGE_PERCENT?: string;
  readonly ALERT_QUEUE_OLD_MINUTES?: string;
  readonly ALERT_QUEUE_LONG?: string;
  readonly ALERT_CELL_DOWN_MINUTES?: string;
  readonly ALERT_CELL_MESSAGES_MINUTES?: string;
  readonly ALERT_RESOLVE_MINUTES?: string;
  /** URLs that are told when alerts fire and end. */
  readonly ALERT_WEBHOOKS?: string;
  readonly ADMIN_TOKEN?: string;
  readonly MESH_IDENTITY_KEY?: string;
  /** While the identity rotates: the next key, and when it replaces the current one (RFC 3339). */
  readonly MESH_IDENTITY_KEY_NEXT?: string;
  readonly MESH_ROTATION_ENDS?: string;
  readonly MESH_DISCOVERY_KEY?: string;
  readonly MESH_SIGNING_KEY?: string;
}
