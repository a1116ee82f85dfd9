import { utf8, type Bytes } from "../../src/base/bytes.ts";
import type { WebhookSourceBody, WebhookSourceView } from "../../src/protocol/http.ts";
import { call, type Call, type Reply } from "./http.ts";

const base64 = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes));
const hex = (bytes: Bytes): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Computed by the platform, so that signer and verifier share no code. */
export async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

const STANDARD_KEY = new Uint8Array(32).fill(7);
export const STANDARD_SECRET = `whsec_${base64(STANDARD_KEY)}`;
export const GITHUB_SECRET = "It\u2019s a GitHub secret";

export const unixNow = (): number => Math.floor(Date.now() / 1_000);

interface Signing {
  readonly id?: string;
  /** Unix seconds. */
  readonly at?: number | string;
  readonly key?: Bytes;
}

/** A delivery signed by Standard Webhooks 1.0.0: `id.timestamp.body`. */
export async function standard(body: string | Bytes, signing: Signing = {}): Promise<Call> {
  const { id = "msg_1", at = unixNow(), key = STANDARD_KEY } = signing;
  const raw = typeof body === "string" ? utf8(body) : body;
  const head = utf8(`${id}.${at}.`);
  const message = new Uint8Array(head.length + raw.length);
  message.set(head);
  message.set(raw, head.length);
  const headers = {
    "Content-Type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(at),
    "webhook-signature": `v1,${base64(await hmac(key, message))}`,
  };
  return { raw, headers, token: null };
}

/** A delivery with GitHub's signature, which covers only the body. */
export async function github(
  body: string | Bytes,
  { id = "72d3162e", secret = GITHUB_SECRET }: { id?: string; secret?: string } = {},
): Promise<Call> {
  const raw = typeof body === "string" ? utf8(body) : body;
  const headers = {
    "Content-Type": "application/json",
    "X-GitHub-Event": "push",
    "X-GitHub-Delivery": id,
    "X-Hub-Signature-256": `sha256=${hex(await hmac(utf8(secret), raw))}`,
  };
  return { raw, headers, token: null };
}

export const without = ({ headers = {}, ...rest }: Call, name: string): Call => ({
  ...rest,
  headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)),
});

export const withHeaders = (delivery: Call, headers: Readonly<Record<string, string>>): Call => ({
  ...delivery,
  headers: { ...delivery.headers, ...headers },
});

type Source = Partial<Omit<WebhookSourceBody, "task" | "filters">> & {
  readonly task?: object;
  readonly filters?: readonly object[];
};

export const STANDARD_SOURCE = {
  scheme: "standard-webhooks",
  secret: STANDARD_SECRET,
  task: { kind: "$.type" },
} as const;
export const GITHUB_SOURCE = {
  scheme: "github",
  secret: GITHUB_SECRET,
  task: { kind: "push", payload: "$.commits" },
} as const;

/** Registers a source; default: Standard Webhooks, with the event's `type` as the task's kind. */
export const register = (name: string, source: Source = {}): Promise<Reply<WebhookSourceView>> =>
  call<WebhookSourceView>("PUT", `/v1/webhook-sources/${name}`, {
    json: { ...STANDARD_SOURCE, ...source },
  });

export interface Delivered {
  readonly task_id: string | null;
  readonly duplicate: boolean;
  readonly filtered: string | null;
}

export const deliver = (name: string, delivery: Call): Promise<Reply<Delivered>> =>
  call<Delivered>("POST", `/v1/webhooks/${name}`, delivery);

/** The number of tasks, and the number of deliveries that became a task by the source's count. */
export async function storedBy(name: string): Promise<{ tasks: number; deliveries: number }> {
  const { body } = await call<{ tasks: unknown[] }>("GET", "/v1/tasks");
  const source = await call<WebhookSourceView>("GET", `/v1/webhook-sources/${name}`);
  return { tasks: body.tasks.length, deliveries: source.body.deliveries };
}
