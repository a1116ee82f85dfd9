/** A store behind workerd's `kvNamespace` binding: GET, PUT and DELETE of one key, as `durable/kv-store.ts` uses them. */
import { DurableObject } from "cloudflare:workers";

interface KvEnv {
  readonly STORE: DurableObjectNamespace<Store>;
}

export class Store extends DurableObject<KvEnv> {
  constructor(ctx: DurableObjectState, env: KvEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB, expires_at INTEGER) WITHOUT ROWID",
    );
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    const { sql } = this.ctx.storage;
    switch (request.method) {
      case "GET":
        return this.#get(key);
      case "PUT": {
        const expiration = url.searchParams.get("expiration");
        const expiresAt = expiration === null ? null : Number(expiration) * 1_000;
        const value = await request.arrayBuffer();
        sql.exec("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", key, value, expiresAt);
        return new Response();
      }
      case "DELETE":
        sql.exec("DELETE FROM entries WHERE key = ?", key);
        return new Response();
      default:
        return new Response("not supported", { status: 405 });
    }
  }

  #get(key: string): Response {
    const [row] = this.ctx.storage.sql
      .exec<{
        value: ArrayBuffer;
      }>(
        "SELECT value FROM entries WHERE key = ? AND ifnull(expires_at > ?, true)",
        key,
        Date.now(),
      )
      .toArray();
    return row === undefined ? new Response("not found", { status: 404 }) : new Response(row.value);
  }
}

export default {
  fetch: (request, env) => env.STORE.get(env.STORE.idFromName("store")).fetch(request),
} satisfies ExportedHandler<KvEnv>;
