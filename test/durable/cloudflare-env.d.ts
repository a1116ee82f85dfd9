import type { Coordinator } from "../../durable/coordinator.ts";
import type { PeerSession } from "../../durable/peer-session.ts";
import type gateway from "../../workers/gateway.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      PEER_SESSION: DurableObjectNamespace<PeerSession>;
      COORDINATOR: DurableObjectNamespace<Coordinator>;
      BLOBS: KVNamespace;
    }
    interface GlobalProps {
      mainModule: { default: typeof gateway };
    }
  }
}
