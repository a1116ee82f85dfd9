declare namespace Cloudflare {
  interface Env {
    PEER_SESSION: DurableObjectNamespace<import("../../durable/peer-session.ts").PeerSession>;
    COORDINATOR: DurableObjectNamespace<import("../../durable/coordinator.ts").Coordinator>;
    BLOBS: KVNamespace;
  }
  interface GlobalProps {
    mainModule: typeof import("../../workers/gateway.ts");
  }
}
