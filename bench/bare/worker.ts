/** What every session costs before Muster does anything: a fresh object, one hibernatable WebSocket, one echo. */
import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  readonly ECHO: DurableObjectNamespace<Echo>;
}

export class Echo extends DurableObject<BareEnv> {
  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    socket.send(data);
  }
}

export default {
  fetch: (request, env) =>
    request.headers.get("Upgrade") === "websocket"
      ? env.ECHO.get(env.ECHO.newUniqueId()).fetch(request)
      : new Response("bare"),
} satisfies ExportedHandler<BareEnv>;
