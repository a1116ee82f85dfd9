import { describe, expect, test } from "vitest";
import { refusalHeaders } from "../../src/webhooks/index.ts";
import { seededNumbers } from "../random.ts";

/** Headers that senders, proxies and platforms use for secrets, and some that nobody knows. */
const SECRET_HEADERS = [
  "Authorization",
  "Proxy-Authorization",
  "Cookie",
  "X-Hub-Signature",
  "X-Hub-Signature-256",
  "Stripe-Signature",
  "X-Slack-Signature",
  "webhook-signature",
  "svix-signature",
  "X-Signature",
  "X-Shopify-Hmac-Sha256",
  "X-Gitlab-Token",
  "X-Api-Key",
  "X-Forwarded-For",
  "Referer",
  "X-Original-Url",
  "x-whatever",
] as const;

describe("headers of a refused delivery", () => {
  test.each(SECRET_HEADERS)("WH62 of %s only the name and the length are stored", (name) => {
    const value = "hunter2-secret";
    expect(refusalHeaders([[name, value]])).toEqual({ [name.toLowerCase()]: "[14 characters]" });
  });

  test("WH62 the length is a number and its noun", () => {
    for (const [value, shown] of [
      ["", "[0 characters]"],
      ["x", "[1 character]"],
      ["xy", "[2 characters]"],
    ] as const)
      expect(refusalHeaders([["x-api-key", value]])).toEqual({ "x-api-key": shown });
  });

  test("WH62 what describes the delivery is stored, shortened", () => {
    const long = "x".repeat(5_000);
    expect(
      refusalHeaders(
        new Headers({
          "User-Agent": "GitHub-Hookshot/044aadd",
          "Content-Type": "application/json",
          "X-GitHub-Event": "push",
          "X-GitHub-Delivery": long,
        }),
      ),
    ).toEqual({
      "user-agent": "GitHub-Hookshot/044aadd",
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": "x".repeat(200),
    });
  });

  test("WH62 whatever headers a sender invents, no value of an unknown one is stored, and 2,000 characters in all", () => {
    const random = seededNumbers(7);
    const below = (n: number): number => Math.floor(random() * n);
    for (let round = 0; round < 300; round++) {
      const secrets = Array.from({ length: below(60) }, (_, n) => {
        const near =
          ["content-type-", "x-github-event", "user-agent", "webhook-id"][below(4)] ?? "";
        const name = `${near}${"abcdefgh".slice(0, 1 + below(8))}${n}`.padEnd(below(160), "z");
        return [name, `secret${"s".repeat(below(300))}`] as const;
      });
      const stored = refusalHeaders([...secrets, ["user-agent", "sender/1"]]);
      expect(JSON.stringify(Object.values(stored))).not.toContain("secret");
      expect(stored["user-agent"]).toBe("sender/1");
      const chars = Object.entries(stored).flat().join("").length;
      expect(chars).toBeLessThanOrEqual(2_000);
    }
  });
});
