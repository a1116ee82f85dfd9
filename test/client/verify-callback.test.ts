import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MusterApiError, OptionsError, verifyCallback } from "../../src/client/index.ts";

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString("base64")}`;
const NOW = 1_767_225_600_000;
const ID = "5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00";

const EVENT = {
  type: "task.succeeded",
  timestamp: new Date(NOW).toISOString(),
  data: {
    id: ID,
    kind: "echo",
    state: "succeeded",
    source: "api",
    requirements: { capabilities: [] },
    priority: 0,
    created_at: new Date(NOW - 5).toISOString(),
    deadline_at: new Date(NOW + 5).toISOString(),
    ended_at: new Date(NOW).toISOString(),
    max_attempts: 3,
    lease_seconds: 60,
    peer_id: null,
    progress: 1,
    error: null,
    result: { é: [1] },
  },
};

/** Signed by Node's own HMAC, so that signer and verifier share no code. */
function signed(body: string, { id = ID, at = NOW, key = KEY } = {}) {
  const time = String(Math.floor(at / 1_000));
  const mac = createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64");
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": time,
    "webhook-signature": `v1,${mac}`,
  };
  return { headers, body };
}

function refusal(
  delivery: Parameters<typeof verifyCallback>[0],
  secret: string | string[] = SECRET,
) {
  try {
    verifyCallback(delivery, { secret, now: NOW });
  } catch (error) {
    if (error instanceof MusterApiError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("verifyCallback", () => {
  const delivery = signed(JSON.stringify(EVENT));

  test("CB11 returns the signed event, from the headers and body of any platform", () => {
    const { headers, body } = delivery;
    for (const [inHeaders, inBody] of [
      [headers, body],
      [new Headers(headers), body],
      [headers, Buffer.from(body)],
      [new Request("https://a.example", { headers }).headers, new TextEncoder().encode(body)],
    ] as const) {
      const event = verifyCallback(
        { headers: inHeaders, body: inBody },
        { secret: SECRET, now: NOW },
      );
      expect(event).toMatchObject({ type: "task.succeeded", data: { id: ID, result: { é: [1] } } });
    }
  });

  test("CB11 accepts several secrets, while one is being replaced", () => {
    const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
    expect(refusal(delivery, [other, SECRET])).toBe("accepted");
    expect(refusal(delivery, [other])).toBe("signature_invalid");
  });

  test.each<[string, string | string[]]>([
    ["no secret", []],
    ["an empty text", ""],
    ["a variable that is not set", [SECRET, undefined as unknown as string]],
    ["a secret that is cut off", SECRET.slice(0, 20)],
    ["a token", "mst_0123"],
  ])("CB11 refuses %s as an option, not as the fault of the sender", (_, secret) => {
    expect(() => verifyCallback(delivery, { secret, now: NOW })).toThrow(OptionsError);
  });

  test.for([
    ["signature_invalid", { ...delivery, body: `${delivery.body} ` }],
    ["signature_invalid", signed(delivery.body, { key: Buffer.alloc(32, 8) })],
    ["signature_missing", { ...delivery, headers: {} }],
    ["signature_stale", signed(delivery.body, { at: NOW - 301_000 })],
    ["signature_stale", signed(delivery.body, { at: NOW + 301_000 })],
    ["invalid_request", signed("not JSON")],
    ["invalid_request", signed('{"type":"task.succeeded"}')],
    // Signed, but for another task than the body names.
    ["invalid_request", signed(delivery.body, { id: "00000000-0000-4000-8000-000000000000" })],
  ] as const)("CB11 refuses what is not right: %s", ([code, wrong]) => {
    expect(refusal(wrong)).toBe(code);
  });
});
