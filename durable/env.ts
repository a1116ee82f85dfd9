import type { CoordinatorRpc, PeerSessionRpc } from "./rpc.ts";

/** What wrangler.toml and the secrets give the Worker. Text of any content: config.ts checks it. */
export interface Env {
  readonly PEER_SESSION: DurableObjectNamespace<PeerSessionRpc>;
  readonly COORDINATOR: DurableObjectNamespace<CoordinatorRpc>;
  readonly BLOBS: KVNamespace;
  readonly MESH_NAME?: string;
  readonly AUTH_MODE?: string;
  readonly DISCOVERY_PUBLIC?: string;
  /** Where the mesh's work is asked for, in degrees; distances are measured to it. */
  readonly MESH_LATITUDE?: string;
  readonly MESH_LONGITUDE?: string;
  readonly ADMIN_TOKEN?: string;
  readonly MESH_IDENTITY_KEY?: string;
  readonly MESH_DISCOVERY_KEY?: string;
  readonly MESH_SIGNING_KEY?: string;
}
