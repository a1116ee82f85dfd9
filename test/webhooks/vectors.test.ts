import { expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { WebhookScheme } from "../../src/protocol/http.ts";
import { describeVectors } from "../shared.ts";
import { verdict } from "./sample-deliveries.ts";

interface WebhookVector {
  readonly name: string;
  readonly scheme: string;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Unix seconds. */
  readonly now: number;
  readonly accept: boolean;
  readonly delivery_id?: string;
  readonly why?: string;
}

/** Reasons with a code of their own; any other refusal is `signature_invalid`. */
const CODES: Readonly<Record<string, string>> = {
  "timestamp outside tolerance": "signature_stale",
  "missing header": "signature_missing",
  "missing timestamp": "signature_missing",
  "sha1 is not accepted": "signature_missing",
};

describeVectors<WebhookVector[]>(
  "published and computed deliveries",
  "webhooks.json",
  (vectors) => {
    test("WH1 contain accepted and refused deliveries for every scheme", () => {
      for (const scheme of WebhookScheme.options) {
        const verdicts = vectors.filter((one) => one.scheme === scheme).map((one) => one.accept);
        expect(new Set(verdicts), scheme).toEqual(new Set([true, false]));
      }
    });

    for (const vector of vectors) {
      test(`WH1 ${vector.accept ? "are accepted" : "are refused"}: ${vector.name}`, () => {
        const result = verdict(WebhookScheme.parse(vector.scheme), {
          secret: vector.secret,
          headers: vector.headers,
          body: utf8(vector.body),
          now: vector.now * SECOND,
        });
        if (!vector.accept) expect(result).toBe(CODES[vector.why ?? ""] ?? "signature_invalid");
        else if (vector.delivery_id === undefined) expect(result).toMatch(/^ok:./);
        else expect(result).toBe(`ok:${vector.delivery_id}`);
      });
    }
  },
);
