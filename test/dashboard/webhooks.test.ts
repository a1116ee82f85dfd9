import { describe, expect, it } from "vitest";
import {
  EMPTY_SOURCE,
  newSecret,
  SCHEME_OPTIONS,
  sourceText,
} from "../../dashboard/src/model/webhook-form.ts";
import { refusedCount, remedyIn } from "../../dashboard/src/model/webhook-log.ts";
import { headersOf, sampleEvent } from "../../dashboard/src/model/webhook-samples.ts";
import { signatureHeaders } from "../../dashboard/src/model/webhook-signing.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import { WebhookSourceBody, type Signing } from "../../src/protocol/http.ts";
import { troubleshootingEntry } from "../../src/protocol/troubleshooting.ts";
import { verifyDelivery } from "../../src/webhooks/index.ts";

const SECONDS = 1_790_000_000;
const RANDOM = Uint8Array.from({ length: 32 }, (_, at) => at * 7);
const HMAC = { header: "x-shop-hmac", encoding: "base64", prefix: "v1:" } as const;
const SIGNINGS: readonly Signing[] = [
  ...SCHEME_OPTIONS.filter(([scheme]) => scheme !== "hmac").map(([scheme]) => ({ scheme })),
  { scheme: "stripe", signature: { header: "x-other-signature", encoding: "hex", prefix: "" } },
  { scheme: "hmac", signature: HMAC },
  { scheme: "hmac", signature: { ...HMAC, encoding: "hex", prefix: "" } },
];

/** Whether the mesh accepts what the page has signed. */
async function accepted(by: Signing, secret: string, valid = secret, late = 0): Promise<string> {
  const { body } = sampleEvent(by.scheme, "0123", SECONDS);
  const headers = await signatureHeaders(by, secret, { body, id: "sample_1", seconds: SECONDS });
  const verified = verifyDelivery(by, {
    secrets: [valid],
    headers: new Headers(headers),
    body: utf8(body),
    now: SECONDS * SECOND + late,
  });
  return verified.ok ? "accepted" : verified.error.code;
}

describe("the try-out of a webhook source", () => {
  it.each(SIGNINGS)(
    "DB44 signs a sample as senders of $scheme do ($signature.header)",
    async (by) => {
      const secret = newSecret(by.scheme, RANDOM);
      expect(await accepted(by, secret)).toBe("accepted");
      const other = newSecret(
        by.scheme,
        RANDOM.map((byte) => byte + 1),
      );
      expect(await accepted(by, secret, other)).toBe("signature_invalid");
    },
  );

  it("DB44 signs the time where the scheme does", async () => {
    const late = ["stripe", "slack", "standard-webhooks"] as const;
    for (const scheme of late) {
      const secret = newSecret(scheme, RANDOM);
      expect(await accepted({ scheme }, secret, secret, 10 * MINUTE)).toBe("signature_stale");
    }
  });

  it("DB44 says that a secret of Standard Webhooks is not base64", async () => {
    await expect(accepted({ scheme: "standard-webhooks" }, "no base64 at all!")).rejects.toThrow(
      "base64",
    );
  });

  it("DB44 has a sample for each scheme, which is another event each time", () => {
    for (const [scheme] of SCHEME_OPTIONS) {
      const [one, other] = ["a1", "b2"].map((id) => sampleEvent(scheme, id, SECONDS).body);
      expect(JSON.parse(one ?? "")).toBeTypeOf("object");
      expect(one).not.toBe(other);
    }
  });

  it("DB44 reads headers as lines, and refuses a line without a colon", () => {
    const lines = "X-GitHub-Event: push\n\n x-a :b:c ";
    expect(headersOf(lines)).toEqual({ "x-github-event": "push", "x-a": "b:c" });
    expect(() => headersOf("no colon")).toThrow("NAME: VALUE");
  });
});

describe("the form of a webhook source", () => {
  it.each(SCHEME_OPTIONS)("DB42 makes a request that the mesh accepts, for %s", (scheme) => {
    const form = { ...EMPTY_SOURCE, scheme, kind: " build ", payload: " $.data ", header: "x-sig" };
    const secret = newSecret(scheme, RANDOM);
    const body = WebhookSourceBody.parse(JSON.parse(sourceText(form, secret)));
    expect(body).toMatchObject({ scheme, secret, task: { kind: "build", payload: "$.data" } });
    const hasHeader = scheme === "hmac" || scheme === "stripe";
    expect(body.signature?.header).toBe(hasHeader ? "x-sig" : undefined);
  });

  it("DB42 keeps the digits of a payload and of a filter, and leaves out what is empty", () => {
    const payload = '{"n": 12345678901234567890}';
    const filters = '[{"path": "$.n", "equals": 1.50}]';
    const text = sourceText({ ...EMPTY_SOURCE, kind: "k", payload, filters }, "s".repeat(16));
    expect(text).toContain(payload);
    expect(text).toContain(filters);
    const least = sourceText({ ...EMPTY_SOURCE, kind: "k" }, "s".repeat(16));
    expect(JSON.parse(least)).toEqual({
      scheme: "github",
      secret: "s".repeat(16),
      task: { kind: "k" },
    });
  });
});

describe("the refused deliveries of a webhook source", () => {
  it("DB43 have the remedy of the troubleshooting page, with the name of the source", () => {
    const entry = troubleshootingEntry("signature_invalid")?.text ?? "";
    expect(remedyIn(entry, "ci")).toContain("muster webhook update ci --secret-file FILE");
    expect(remedyIn("### `x`\n", "ci")).toBe(null);
  });

  it("DB41 are counted over all their reasons", () => {
    expect(refusedCount([{ count: 2 }, { count: 40 }])).toBe(42);
    expect(refusedCount([])).toBe(0);
  });
});
