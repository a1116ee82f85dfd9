/** The service behind the Worker's KV binding on plain workerd: one Durable Object, whose SQLite has all entries. */
import { DurableObject } from "cloudflare:workers";
import { HOUR, SECOND } from "../../src/base/clock.ts";
import { lackedRoom } from "../../src/base/disk-shortage.ts";
import { KvEntries } from "./kv-entries.ts";
import { answerKv, kvRequest, refused } from "./kv-requests.ts";

interface KvEnv {
  readonly STORE: DurableObjectNamespace<KvStore>;
  readonly DISK: Fetcher;
}

/** Expired entries are not served. They are removed at most once an hour, or each second while there are many. */
const REMOVAL_INTERVAL = HOUR;

export class KvStore extends DurableObject<KvEnv> {
  readonly #entries: KvEntries;

  constructor(ctx: DurableObjectState, env: KvEnv) {
    super(ctx, env);
    const { storage } = ctx;
    this.#entries = new KvEntries({
      exec: (query, ...bindings) => storage.sql.exec(query, ...bindings).toArray(),
      transaction: (body) => storage.transactionSync(body),
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const asked = await kvRequest(request);
    const response = answerKv(this.#entries, asked, nowInSeconds());
    if (asked.method === "PUT" && (await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + REMOVAL_INTERVAL);
    return response;
  }

  override async alarm(): Promise<void> {
    const next = this.#entries.removeExpired(nowInSeconds());
    if (next === null) return;
    const wait = next <= nowInSeconds() ? SECOND : REMOVAL_INTERVAL;
    await this.ctx.storage.setAlarm(Math.max(next * SECOND, Date.now() + wait));
  }
}

const nowInSeconds = (): number => Math.floor(Date.now() / SECOND);

export default {
  async fetch(request, env) {
    try {
      return await env.STORE.get(env.STORE.idFromName("entries")).fetch(request);
    } catch (thrown) {
      // Also what fails at the commit, after the object has answered. The binding throws an error with the reason.
      if (await lackedRoom(thrown, env.DISK)) return refused(507, FULL);
      throw thrown;
    }
  },
} satisfies ExportedHandler<KvEnv>;

const FULL = "database or disk is full: SQLITE_FULL";
