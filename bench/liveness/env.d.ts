import type { Coordinator, Fixed, Late, PeerSession } from "./worker.ts";
import type gateway from "./worker.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      PEER_SESSION: DurableObjectNamespace<PeerSession>;
      COORDINATOR: DurableObjectNamespace<Coordinator>;
      FIXED: DurableObjectNamespace<Fixed>;
      LATE: DurableObjectNamespace<Late>;
      BLOBS: KVNamespace;
    }
    interface GlobalProps {
      mainModule: { default: typeof gateway };
    }
  }
}
