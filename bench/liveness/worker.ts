/** The mesh as it is, and beside it the design that it is measured against: an alarm every 30 s, a ping, a pong. */
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
    // The pong: the peer lives.
  }
}

/** How late the alarms of `Late` rang, in milliseconds. */
export const LATENESS: number[] = [];

/** Sets one alarm, and notes how late it rings. */
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
