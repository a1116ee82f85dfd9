/** The mesh, and the design that it is compared with: an alarm every 30 s, a ping, a pong. */
import { DurableObject } from "cloudflare:workers";
import gateway from "../../workers/gateway.ts";

export { Coordinator, PeerSession } from "../../workers/gateway.ts";

const INTERVAL = 30_000;

export class Fixed extends DurableObject {
  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    await this.ctx.storage.setAlarm(Date.now() + INTERVAL);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async alarm(): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) socket.send("ping");
    await this.ctx.storage.setAlarm(Date.now() + INTERVAL);
  }

  override async webSocketMessage(): Promise<void> {
    // The pong: the peer is alive.
  }
}

/** The lateness of the alarms of `Late`, in milliseconds. */
export const LATENESS: number[] = [];

/** Sets one alarm, and records how late it runs. */
export class Late extends DurableObject {
  #due = 0;

  override async fetch(): Promise<Response> {
    this.#due = Date.now() + 300;
    await this.ctx.storage.setAlarm(this.#due);
    return new Response(null);
  }

  override async alarm(): Promise<void> {
    LATENESS.push(Date.now() - this.#due);
  }
}

export default gateway;
