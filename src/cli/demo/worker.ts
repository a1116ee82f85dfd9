/** The process of one demo worker: joins the mesh through the SDK, and digests files in its own temper. */
import { setTimeout as sleep } from "node:timers/promises";
import { fromBase64, toHex, type Bytes } from "../../base/bytes.ts";
import { connectPeer, TaskError, type Handler } from "../../client/index.ts";
import { DIGEST_CAPABILITY, DIGEST_KIND, DigestPayload, WorkerOrders } from "./messages.ts";
import type { Digest, Temper } from "./messages.ts";
import { demoEnd, troubleOf } from "./peer-process.ts";

interface Manner {
  readonly slots: number;
  readonly pauseMs: number;
  /** Of each `of` attempts, that many go wrong. */
  readonly wrong: number;
  readonly of: number;
}

const MANNERS: Readonly<Record<Temper, Manner>> = {
  fast: { slots: 3, pauseMs: 30, wrong: 0, of: 1 },
  slow: { slots: 2, pauseMs: 600, wrong: 0, of: 1 },
  flaky: { slots: 2, pauseMs: 30, wrong: 3, of: 5 },
};

const NEWLINE = 0x0a;

/** SHA-256 and line count, through the web's own API: the demo checks it by another way. */
async function digest(bytes: Bytes): Promise<Digest> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const newlines = bytes.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
  const openEnd = bytes.length > 0 && bytes.at(-1) !== NEWLINE;
  return { sha256: toHex(hash), lines: newlines + (openEnd ? 1 : 0) };
}

function handlerOf({ pauseMs, wrong, of }: Manner): Handler {
  let attempts = 0;
  return async (payload, { signal, progress }) => {
    const fails = attempts++ % of < wrong;
    await sleep(pauseMs / 2, undefined, { signal });
    progress(0.5);
    if (fails) throw new Error("this worker is flaky");
    const { content } = DigestPayload.parse(payload);
    const bytes = fromBase64(content);
    if (bytes === null) throw new TaskError("the content is not base64", { retry: false });
    await sleep(pauseMs / 2, undefined, { signal });
    return digest(bytes);
  };
}

const { orders, report, onOrder } = await demoEnd(WorkerOrders);
const manner = MANNERS[orders.temper];
const peer = connectPeer({
  url: orders.url,
  meshKey: orders.meshKey,
  privateKey: orders.privateKey,
  name: orders.temper,
  capabilities: [DIGEST_CAPABILITY],
  slots: manner.slots,
  handlers: { [DIGEST_KIND]: handlerOf(manner) },
  onEvent: (event) => {
    if (event.type === "task_succeeded" || event.type === "task_failed") {
      report({ type: "attempt", ok: event.type === "task_succeeded" });
    }
    const text = troubleOf(event);
    if (text !== null) report({ type: "trouble", text });
  },
});
onOrder(({ type }) => {
  if (type === "stop") void peer.close().then(() => process.exit(0));
});
await peer.ready;
report({ type: "joined" });
