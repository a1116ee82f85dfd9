/** The process of one demo worker: joins the mesh through the SDK and computes the digests of files. */
import { setTimeout as sleep } from "node:timers/promises";
import { fromBase64, toHex, type Bytes } from "../../base/bytes.ts";
import { connectPeer, TaskError, type Handler } from "../../client/index.ts";
import { DIGEST_CAPABILITY, DIGEST_KIND, DigestPayload, WorkerConfig } from "./messages.ts";
import type { Behavior, Digest } from "./messages.ts";
import { connectToParent, warningText } from "./parent-link.ts";

interface Profile {
  readonly slots: number;
  /** How long a task takes. */
  readonly workMs: number;
  /** Of every `cycle` attempts, the first `failures` fail. */
  readonly failures: number;
  readonly cycle: number;
}

const PROFILES: Readonly<Record<Behavior, Profile>> = {
  fast: { slots: 3, workMs: 30, failures: 0, cycle: 1 },
  slow: { slots: 2, workMs: 600, failures: 0, cycle: 1 },
  flaky: { slots: 2, workMs: 30, failures: 3, cycle: 5 },
};

const NEWLINE = 0x0a;

/** SHA-256 and line count by Web APIs; the demo checks them with Node's own functions. */
async function digest(bytes: Bytes): Promise<Digest> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const newlines = bytes.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
  const hasOpenLine = bytes.length > 0 && bytes.at(-1) !== NEWLINE;
  return { sha256: toHex(hash), lines: newlines + (hasOpenLine ? 1 : 0) };
}

function digestHandler({ workMs, failures, cycle }: Profile): Handler {
  let attempts = 0;
  return async (payload, { signal, progress }) => {
    const fails = attempts++ % cycle < failures;
    await sleep(workMs / 2, undefined, { signal });
    progress(0.5);
    if (fails) throw new Error("this worker is flaky");
    const { content } = DigestPayload.parse(payload);
    const bytes = fromBase64(content);
    if (bytes === null) throw new TaskError("the content is not base64", { retry: false });
    await sleep(workMs / 2, undefined, { signal });
    return digest(bytes);
  };
}

const { config, report, onInstruction } = await connectToParent(WorkerConfig);
const profile = PROFILES[config.behavior];
const peer = connectPeer({
  url: config.url,
  meshKey: config.meshKey,
  privateKey: config.privateKey,
  name: config.behavior,
  capabilities: [DIGEST_CAPABILITY],
  slots: profile.slots,
  handlers: { [DIGEST_KIND]: digestHandler(profile) },
  onEvent: (event) => {
    if (event.type === "task_succeeded" || event.type === "task_failed") {
      report({ type: "attempt", ok: event.type === "task_succeeded" });
    }
    const text = warningText(event);
    if (text !== null) report({ type: "warning", text });
  },
});
onInstruction(({ type }) => {
  if (type === "stop") void peer.close().then(() => process.exit(0));
});
await peer.ready;
report({ type: "joined" });
