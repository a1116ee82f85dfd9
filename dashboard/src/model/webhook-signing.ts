/** Signs a sample event as its sender would, with the secret that the user typed. */
import {
  concat,
  fromAnyBase64,
  toBase64,
  toHex,
  utf8,
  type Bytes,
} from "../../../src/base/bytes.ts";
import type { Signing, WebhookScheme } from "../../../src/protocol/http.ts";

export interface Sample {
  readonly body: string;
  /** Identifies the delivery, where the scheme signs an ID. */
  readonly id: string;
  /** Unix seconds. */
  readonly seconds: number;
}

/** The headers that the mesh takes if a source names none. */
const STRIPE_HEADER = "stripe-signature";
const HMAC_HEADER = "x-signature";

/** The headers with the signature of a sample. Rejects if the secret can't be a key. */
export function signatureHeaders(
  { scheme, signature }: Signing,
  secret: string,
  sample: Sample,
): Promise<Readonly<Record<string, string>>> {
  return SIGNERS[scheme](sample, secret, signature ?? null);
}

type Signer = (
  sample: Sample,
  secret: string,
  signature: NonNullable<Signing["signature"]> | null,
) => Promise<Readonly<Record<string, string>>>;

/** Every scheme signs with HMAC-SHA256; they differ in the key, in the text before the body, and in the headers. */
const SIGNERS: Readonly<Record<WebhookScheme, Signer>> = {
  github: async ({ body }, secret) => ({
    "x-hub-signature-256": `sha256=${toHex(await hmacSha256(utf8(secret), body))}`,
  }),
  slack: async ({ body, seconds }, secret) => ({
    "x-slack-request-timestamp": String(seconds),
    "x-slack-signature": `v0=${toHex(await hmacSha256(utf8(secret), `v0:${seconds}:${body}`))}`,
  }),
  stripe: async ({ body, seconds }, secret, signature) => {
    const mac = toHex(await hmacSha256(utf8(secret), `${seconds}.${body}`));
    return { [signature?.header ?? STRIPE_HEADER]: `t=${seconds},v1=${mac}` };
  },
  hmac: async ({ body }, secret, signature) => {
    const mac = await hmacSha256(utf8(secret), body);
    const text = signature?.encoding === "base64" ? toBase64(mac) : toHex(mac);
    return { [signature?.header ?? HMAC_HEADER]: `${signature?.prefix ?? ""}${text}` };
  },
  "standard-webhooks": async ({ body, id, seconds }, secret) => ({
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${toBase64(await hmacSha256(standardKey(secret), `${id}.${seconds}.${body}`))}`,
  }),
};

function standardKey(secret: string): Bytes {
  const key = fromAnyBase64(secret.replace(/^whsec_/, ""));
  if (key !== null) return key;
  throw new Error("The secret of Standard Webhooks is base64, with or without whsec_.");
}

async function hmacSha256(key: Bytes, text: string): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return concat(new Uint8Array(await crypto.subtle.sign("HMAC", imported, utf8(text))));
}
