import { createApp } from "./app.ts";

export { Coordinator } from "../durable/coordinator.ts";
export { PeerSession } from "../durable/peer-session.ts";

const app = createApp();

export default { fetch: app.fetch } satisfies ExportedHandler<Cloudflare.Env>;
