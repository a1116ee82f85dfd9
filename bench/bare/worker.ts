/** The baseline cost of a session: a new object, one hibernatable WebSocket, one echo. */
import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  readonly ECHO: DurableObjectNamespace<Echo>;
  readonly LEDGER: DurableObjectNamespace<Ledger>;
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

/** The baseline cost of assigning a task: one object, one row committed to SQLite, one frame sent. */
export class Ledger extends DurableObject<BareEnv> {
  constructor(ctx: DurableObjectState, env: BareEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body TEXT)");
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") === "websocket") {
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    const body = await request.text();
    this.ctx.storage.sql.exec("INSERT INTO rows (body) VALUES (?)", body);
    for (const socket of this.ctx.getWebSockets()) socket.send(body);
    return new Response("committed", { status: 202 });
  }
}

export default {
  fetch: (request, env) => {
    if (new URL(request.url).pathname === "/ledger")
      return env.LEDGER.get(env.LEDGER.idFromName("ledger")).fetch(request);
    return request.headers.get("Upgrade") === "websocket"
      ? env.ECHO.get(env.ECHO.newUniqueId()).fetch(request)
      : new Response("bare");
  },
} satisfies ExportedHandler<BareEnv>;
