import { sign as signOctokit } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Stripe } from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controller, newWebhookSecret, type MeshClient } from "../../src/client/index.ts";
import type { WebhookSourceBody } from "../../src/protocol/http.ts";
import { testMesh, type TestMesh } from "../e2e/mesh.ts";
import { flipBit, flipTextBit } from "../webhooks/bit-flips.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;
const SIZES = { "1 KiB": KiB, "1 MiB": MiB, "24 MiB": 24 * MiB } as const;

const STANDARD_SECRET = newWebhookSecret();
const SVIX_SECRET = newWebhookSecret();
/** The same in base64url without padding. */
const SVIX_SECRET_URL = SVIX_SECRET.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const TEXT_SECRET = "a secret of some length";

type Headers = Record<string, string>;

interface Sender {
  readonly source: Pick<WebhookSourceBody, "scheme" | "secret">;
  /** Signs as the sender's own library does. */
  readonly sign: (body: string, at: Date) => Headers | Promise<Headers>;
}

const msgId = (): string => `msg_${crypto.randomUUID()}`;
const seconds = (at: Date): string => String(Math.floor(at.getTime() / 1_000));

const SENDERS: Record<string, Sender> = {
  standardwebhooks: {
    source: { scheme: "standard-webhooks", secret: STANDARD_SECRET },
    sign(body, at) {
      const id = msgId();
      return {
        "webhook-id": id,
        "webhook-timestamp": seconds(at),
        "webhook-signature": new StandardWebhook(STANDARD_SECRET).sign(id, at, body),
      };
    },
  },
  svix: {
    source: { scheme: "standard-webhooks", secret: SVIX_SECRET_URL },
    sign(body, at) {
      const id = msgId();
      return {
        "svix-id": id,
        "svix-timestamp": seconds(at),
        "svix-signature": `v1a,${btoa("x".repeat(64))} ${new SvixWebhook(SVIX_SECRET).sign(id, at, body)}`,
      };
    },
  },
  "@octokit/webhooks-methods": {
    source: { scheme: "github", secret: TEXT_SECRET },
    sign: async (body) => ({ "x-hub-signature-256": await signOctokit(TEXT_SECRET, body) }),
  },
  stripe: {
    source: { scheme: "stripe", secret: TEXT_SECRET },
    sign: (body, at) => ({
      "stripe-signature": Stripe.webhooks.generateTestHeaderString({
        payload: body,
        secret: TEXT_SECRET,
        timestamp: Number(seconds(at)),
      }),
    }),
  },
};

/** An event of exactly this size, with what is mapped at its beginning and at its end. */
function eventOf(size: number): string {
  const head = `{"id":"evt_${crypto.randomUUID().replaceAll("-", "")}","object":"event","filler":"`;
  const tail = '","last":{"n":[1,2,3]}}';
  return head + "é".repeat(8) + "x".repeat(size - head.length - tail.length - 16) + tail;
}

let started: TestMesh;
let control: MeshClient;

beforeAll(async () => {
  started = await testMesh({ FAILED_DELIVERIES_PER_MINUTE: "1000000" });
  control = controller({ url: started.mesh.url, token: started.mesh.adminToken });
  for (const [n, { source }] of Object.values(SENDERS).entries()) {
    await control.webhooks.put(`source-${n}`, {
      ...source,
      task: { kind: "read", payload: { id: "$.id", last: "$.last" } },
      max_body_bytes: 25 * MiB,
    });
  }
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly taskId: string | null;
}

async function send(n: number, headers: Headers, body: Uint8Array): Promise<Answer> {
  const url = `${started.mesh.url}/v1/webhooks/source-${n}`;
  const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
  const answer = (await response.json()) as { code?: string; task_id?: string };
  return { status: response.status, code: answer.code ?? null, taskId: answer.task_id ?? null };
}

/** A text with one bit changed that HTTP can still carry. */
function flipHeader(text: string): string {
  for (;;) {
    const flipped = flipTextBit(text, Math.floor(Math.random() * 8 * text.length));
    if (/^[\x21-\x7e]+$/.test(flipped)) return flipped;
  }
}

/**
 * The text with its last digit changed, so that it still has the form of its header: what has another form is refused before the body is
 * read, and a front that still sends a large body may not see that answer.
 */
const changeDigit = (text: string): string =>
  text.replace(/[0-9](?=[^0-9]*$)/, (digit) => String(Number(digit) ^ 1));

describe.each(Object.keys(SENDERS).map((name, n) => [name, n] as const))(
  "a delivery that %s signed",
  (name, n) => {
    const { sign } = SENDERS[name] as Sender;

    test.each(Object.entries(SIZES))(
      "WH44 becomes its task at a size of %s, and is refused with one bit changed anywhere",
      async (_, size) => {
        const event = eventOf(size);
        const body = new TextEncoder().encode(event);
        expect(body.length).toBe(size);
        const headers = await sign(event, new Date());
        for (let flips = 0; flips < 3; flips++) {
          const bit = flips === 0 ? 0 : Math.floor(Math.random() * 8 * size);
          expect(await send(n, headers, flipBit(body, bit))).toMatchObject({
            status: 401,
            code: "signature_invalid",
          });
        }
        for (const [header, value] of Object.entries(headers)) {
          const changed = {
            ...headers,
            [header]: size === KiB ? flipHeader(value) : changeDigit(value),
          };
          const refused = await send(n, changed, body);
          // A bit of the other version's signature matters to nobody.
          if (!changed[header]?.includes(value.split(" ").at(-1) ?? value))
            expect(refused.status).toBe(401);
        }
        const accepted = await send(n, headers, body);
        expect(accepted).toMatchObject({ status: 202, code: null });
        const task = await control.tasks.get(accepted.taskId ?? "");
        const { id } = JSON.parse(event) as { id: string };
        expect(task.payload).toEqual({ id, last: { n: [1, 2, 3] } });
        expect((await send(n, headers, body)).taskId).toBe(accepted.taskId);
      },
    );
  },
);
