import type { CoordinatorRpc, PeerSessionRpc } from "./rpc.ts";

/** What wrangler.toml and the secrets give the Worker. Text of any content: config.ts checks it. */
export interface Env {
  readonly PEER_SESSION: DurableObjectNamespace<PeerSessionRpc>;
  readonly COORDINATOR: DurableObjectNamespace<CoordinatorRpc>;
  readonly BLOBS: KVNamespace;
  /** Where discovery is copied to for replicas: Redis behind Upstash's REST API. */
  readonly UPSTASH_REDIS_REST_URL?: string;
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
  readonly MESH_NAME?: string;
  readonly AUTH_MODE?: string;
  readonly DISCOVERY_PUBLIC?: string;
  /** "listed", "all" or "none": which peers find and open others. */
  readonly DISCOVERY_MEMBERS?: string;
  /** What is public of peers: any of role, capabilities, region, score, parted by commas. */
  readonly DISCOVERY_METADATA?: string;
  /** "false" keeps go-p2p 1.0 out. */
  readonly GO_P2P?: string;
  readonly PEERS_MAX?: string;
  readonly HANDSHAKES_PER_MINUTE?: string;
  /** Dialled sessions at once. */
  readonly DIALS_MAX?: string;
  /** "true" lets the mesh call this machine itself: for tests. */
  readonly ALLOW_LOOPBACK?: string;
  readonly RECONNECTS_PER_SECOND?: string;
  readonly PEER_RETENTION_DAYS?: string;
  /** How a task's peer is chosen: `expected-cost` or `best-score`, and what the former keeps to. */
  readonly SELECTION_POLICY?: string;
  readonly SHARE_MAX?: string;
  readonly NEWCOMER_SHARE?: string;
  /** `latency=N,reliability=N,hops=N,distance=N`, which sum to 1. */
  readonly SCORE_WEIGHTS?: string;
  /** Where the mesh's work is asked for, in degrees; distances are measured to it. */
  readonly MESH_LATITUDE?: string;
  readonly MESH_LONGITUDE?: string;
  readonly ADMIN_TOKEN?: string;
  readonly MESH_IDENTITY_KEY?: string;
  /** While the identity rotates: the next key, and when it takes over (RFC 3339). */
  readonly MESH_IDENTITY_KEY_NEXT?: string;
  readonly MESH_ROTATION_ENDS?: string;
  readonly MESH_DISCOVERY_KEY?: string;
  readonly MESH_SIGNING_KEY?: string;
}
