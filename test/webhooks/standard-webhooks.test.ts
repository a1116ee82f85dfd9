import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { SIGNATURE_TOLERANCE } from "../../src/protocol/constants.ts";
import { checkSecret, verifyDelivery } from "../../src/webhooks/index.ts";
import { must, mustFail } from "../must.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import { detailOf, hmac, verdict, type TestDelivery } from "./sample-deliveries.ts";

const SCHEME = "standard-webhooks";
const KEY = new Uint8Array(24).fill(7);
const NOW = 1_700_000_000 * SECOND;

const signatureOf = (key: Uint8Array, id: string, timestamp: string, body: Uint8Array) =>
  `v1,${hmac(key, id, ".", timestamp, ".", body).digest("base64")}`;

interface Parts {
  readonly key: Uint8Array;
  readonly id: string;
  readonly timestamp: string;
  readonly body: Uint8Array;
}

const signed = (parts: Partial<Parts> = {}): TestDelivery => {
  const { key, id, timestamp, body } = {
    key: KEY,
    id: "msg_1",
    timestamp: String(NOW / SECOND),
    body: utf8('{"type":"file.added"}'),
    ...parts,
  };
  return {
    secret: `whsec_${toBase64(key)}`,
    headers: {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatureOf(key, id, timestamp, body),
    },
    body,
    now: NOW,
  };
};

const withHeaders = (delivery: TestDelivery, headers: Record<string, string>): TestDelivery => ({
  ...delivery,
  headers: { ...delivery.headers, ...headers },
});

const withoutHeader = (delivery: TestDelivery, name: string): TestDelivery => ({
  ...delivery,
  headers: Object.fromEntries(Object.entries(delivery.headers).filter(([key]) => key !== name)),
});

const Id = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 64 })
  .map((codes) => String.fromCharCode(...codes).replaceAll(".", "_"));
const Signed = fc
  .record({
    key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
    id: Id,
    timestamp: fc.integer({ min: 0, max: 4_000_000_000 }).map(String),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map((parts) => ({ ...signed(parts), now: Number(parts.timestamp) * SECOND }));
const Bit = fc.nat({ max: 100_000 });

describe("a Standard Webhooks delivery", () => {
  test("is accepted if signed, at any time within the tolerance, and its ID is its webhook-id", () => {
    fc.assert(
      fc.property(
        Signed,
        fc.integer({ min: -SIGNATURE_TOLERANCE, max: SIGNATURE_TOLERANCE }),
        (delivery, skew) => {
          const result = verdict(SCHEME, { ...delivery, now: delivery.now + skew });
          expect(result).toBe(`ok:${delivery.headers["webhook-id"]}`);
        },
      ),
    );
  });

  test("is stale outside the tolerance, earlier or later", () => {
    fc.assert(
      fc.property(
        Signed,
        fc.integer({ min: SIGNATURE_TOLERANCE + 1, max: 1e12 }),
        fc.constantFrom(-1, 1),
        (delivery, skew, side) => {
          const result = verdict(SCHEME, { ...delivery, now: delivery.now + side * skew });
          expect(result).toBe("signature_stale");
        },
      ),
    );
  });

  test("is refused if any bit of its body is changed", () => {
    fc.assert(
      fc.property(Signed, Bit, (delivery, bit) => {
        fc.pre(delivery.body.length > 0);
        const changed = { ...delivery, body: flipBit(delivery.body, bit) };
        expect(verdict(SCHEME, changed)).toBe("signature_invalid");
      }),
    );
  });

  test.for(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "is refused after a change of any one bit of its %s",
    (name) => {
      fc.assert(
        fc.property(Signed, Bit, (delivery, bit) => {
          const changed = flipTextBit(delivery.headers[name] ?? "", bit);
          expect(verdict(SCHEME, withHeaders(delivery, { [name]: changed }))).toBe(
            "signature_invalid",
          );
        }),
        { numRuns: 500 },
      );
    },
  );

  test("is refused with a secret that differs in one bit", () => {
    fc.assert(
      fc.property(Signed, fc.uint8Array({ minLength: 24, maxLength: 64 }), Bit, (one, key, bit) => {
        const { headers, body } = signed({ key, body: one.body });
        const secret = toBase64(flipBit(key, bit));
        expect(verdict(SCHEME, { secret, headers, body, now: NOW })).toBe("signature_invalid");
      }),
    );
  });

  test("is read from a Headers object, independent of the case of the names", () => {
    const delivery = signed();
    const headers = new Headers(
      Object.entries(delivery.headers).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect(
      must(
        verifyDelivery({ scheme: SCHEME }, { ...delivery, secrets: [delivery.secret], headers }),
      ),
    ).toEqual({ deliveryId: "msg_1" });
  });

  test("is verified over the raw bytes, also if they are not UTF-8", () => {
    expect(verdict(SCHEME, signed({ body: Uint8Array.of(0xff, 0x00, 0xc3) }))).toBe("ok:msg_1");
  });

  test.for(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "without %s is unsigned, and the answer names the header",
    (name) => {
      for (const delivery of [
        withoutHeader(signed(), name),
        withHeaders(signed(), { [name]: "" }),
      ]) {
        expect(verdict(SCHEME, delivery)).toBe("signature_missing");
        expect(detailOf(SCHEME, delivery)).toContain(name);
      }
    },
  );

  const SETS = ["webhook", "svix"] as const;
  const NAMES = ["id", "timestamp", "signature"] as const;
  /** The headers of a delivery under the names of one set, of which only those in `kept`. */
  const under = (
    set: (typeof SETS)[number],
    { headers }: TestDelivery,
    kept: readonly string[] = NAMES,
  ): Record<string, string> =>
    Object.fromEntries(kept.map((name) => [`${set}-${name}`, headers[`webhook-${name}`] ?? ""]));

  test("WH40 has its three headers under the names of Standard Webhooks or of Svix", () => {
    fc.assert(
      fc.property(Signed, fc.constantFrom(...SETS), (delivery, set) => {
        const result = verdict(SCHEME, { ...delivery, headers: under(set, delivery) });
        expect(result).toBe(`ok:${delivery.headers["webhook-id"]}`);
      }),
    );
  });

  test("WH40 is refused unless all three are in one set, and the names of Standard Webhooks decide", () => {
    const delivery = signed();
    const subsets = Array.from({ length: 8 }, (_, bits) =>
      NAMES.filter((__, at) => (bits & (1 << at)) !== 0),
    );
    for (const standard of subsets)
      for (const svix of subsets) {
        const headers = {
          ...under("webhook", delivery, standard),
          ...under("svix", delivery, svix),
        };
        const complete = standard.length === 3 || (standard.length === 0 && svix.length === 3);
        const expected = complete ? "ok:msg_1" : "signature_missing";
        expect(verdict(SCHEME, { ...delivery, headers }), Object.keys(headers).join()).toBe(
          expected,
        );
      }
  });

  test("WH40 with both sets is judged by the one of Standard Webhooks alone", () => {
    const [one, other] = [signed({ id: "one" }), signed({ id: "other", key: flipBit(KEY, 3) })];
    const both = (first: TestDelivery, second: TestDelivery) =>
      verdict(SCHEME, { ...one, headers: { ...first.headers, ...under("svix", second) } });
    expect(both(one, other)).toBe("ok:one");
    expect(both(other, one)).toBe("signature_invalid");
  });

  test.for(NAMES)("WH40 is refused after a change of any one bit of svix-%s", (name) => {
    fc.assert(
      fc.property(Signed, Bit, (delivery, bit) => {
        const headers = under("svix", delivery);
        headers[`svix-${name}`] = flipTextBit(headers[`svix-${name}`] ?? "", bit);
        expect(verdict(SCHEME, { ...delivery, headers })).toBe("signature_invalid");
      }),
      { numRuns: 300 },
    );
  });

  test("is accepted if any of its signatures matches, at any position", () => {
    const delivery = signed();
    const right = delivery.headers["webhook-signature"] ?? "";
    const other = signatureOf(new Uint8Array(32), "msg_1", "1", utf8("x"));
    for (const list of [`${right} ${other}`, `${other} v1a,Zm9v  ${right}`]) {
      expect(verdict(SCHEME, withHeaders(delivery, { "webhook-signature": list }))).toBe(
        "ok:msg_1",
      );
    }
  });

  test.for(["v1a,", "v2,", "V1,", "v1", ",", "", "v1,v1,", "v1, "])(
    "is refused when its MAC stands behind '%s' in place of 'v1,'",
    (prefix) => {
      const delivery = signed();
      const mac = (delivery.headers["webhook-signature"] ?? "").slice("v1,".length);
      const signature = prefix + mac;
      expect(verdict(SCHEME, withHeaders(delivery, { "webhook-signature": signature }))).toBe(
        "signature_invalid",
      );
    },
  );

  test("is refused if it has more signatures than the limit, even if one matches", () => {
    const delivery = signed();
    const right = delivery.headers["webhook-signature"] ?? "";
    const list = (others: number) => `${"v2,x ".repeat(others)}${right}`;
    const withList = (text: string) =>
      verdict(SCHEME, withHeaders(delivery, { "webhook-signature": text }));
    expect(withList(list(15))).toBe("ok:msg_1");
    expect(withList(list(16))).toBe("signature_invalid");
    expect(withList(`v2,${"x".repeat(3_000)} ${right}`)).toBe("signature_invalid");
  });

  test.for(["msg 1", "msg.1", "msg\n1", "mündlich", "msg_1, msg_1", "x".repeat(257)])(
    "is refused under the ID '%s', though signed",
    (id) => {
      expect(verdict(SCHEME, signed({ id }))).toBe("signature_invalid");
    },
  );

  test("is refused if the signed text is divided differently into ID, time and body", () => {
    const seconds = NOW / SECOND;
    const whole = signed({ id: "msg_1", timestamp: String(seconds), body: utf8(`${seconds}.{}`) });
    expect(verdict(SCHEME, whole)).toBe("ok:msg_1");
    const cut = withHeaders(whole, { "webhook-id": `msg_1.${seconds}` });
    expect(verdict(SCHEME, { ...cut, body: utf8("{}") })).toBe("signature_invalid");
  });

  test.for([
    "1700000000.0",
    "1.7e9",
    " 1700000000",
    "+1700000000",
    "-1",
    "01700000000",
    "0x6553f100",
  ])("is refused with the timestamp '%s', although it is signed", (timestamp) => {
    expect(verdict(SCHEME, signed({ timestamp }))).toBe("signature_invalid");
  });

  test("is reported as invalid, not as stale, if both apply: its time is not authenticated", () => {
    const delivery = signed({ timestamp: "1" });
    expect(verdict(SCHEME, delivery)).toBe("signature_stale");
    const forged = withHeaders(delivery, { "webhook-signature": `v1,${toBase64(KEY)}` });
    expect(verdict(SCHEME, forged)).toBe("signature_invalid");
  });

  test("is stale with an error that states by how much, and in which direction", () => {
    const delivery = signed();
    expect(detailOf(SCHEME, { ...delivery, now: NOW + 301 * SECOND })).toContain("301 s behind");
    expect(detailOf(SCHEME, { ...delivery, now: NOW - 400 * SECOND })).toContain("400 s ahead");
  });

  test("is refused without revealing the expected MAC or the secret", () => {
    const delivery = signed();
    const expected = (delivery.headers["webhook-signature"] ?? "").slice("v1,".length);
    const forged = withHeaders(delivery, { "webhook-signature": "v1,AAAA" });
    const detail = detailOf(SCHEME, forged);
    expect(detail).not.toBe("");
    for (const secret of [expected, toBase64(KEY)]) expect(detail).not.toContain(secret);
  });

  test("is reported as a defect of the mesh if the source's secret is unusable", () => {
    expect(verdict(SCHEME, { ...signed(), secret: "not base64!" })).toBe("internal");
  });
});

describe("a Standard Webhooks secret", () => {
  test("WH41 is base64 or base64url of 24 to 64 bytes, padded or not, with or without its prefix", () => {
    const Key = fc.uint8Array({ minLength: 24, maxLength: 64 });
    fc.assert(
      fc.property(Key, fc.boolean(), fc.boolean(), fc.boolean(), (key, isUrl, padded, prefixed) => {
        let text = toBase64(key);
        if (isUrl) text = text.replaceAll("+", "-").replaceAll("/", "_");
        if (!padded) text = text.replaceAll("=", "");
        const secret = prefixed ? `whsec_${text}` : text;
        must(checkSecret({ scheme: SCHEME }, secret));
        expect(verdict(SCHEME, { ...signed({ key }), secret })).toBe("ok:msg_1");
      }),
    );
  });

  test("WH41 that is plain text is given as the base64 of that text", () => {
    const key = utf8("a plain secret of 26 bytes");
    const delivery = signed({ key });
    expect(verdict(SCHEME, { ...delivery, secret: toBase64(key) })).toBe("ok:msg_1");
    const error = mustFail(checkSecret({ scheme: SCHEME }, "a plain secret of 26 bytes"));
    expect(error.detail).toContain("base64 first");
  });

  test.for([
    ["too short", toBase64(new Uint8Array(23))],
    ["too long", toBase64(new Uint8Array(65))],
    ["empty", "whsec_"],
    ["of another alphabet", `whsec_${".,".repeat(16)}`],
    ["of two alphabets", `whsec_${"_/".repeat(16)}`],
    ["padded twice", `${toBase64(new Uint8Array(32))}=`],
    ["of impossible length", "A".repeat(33)],
    ["with bits that no byte has", `${"A".repeat(33)}B`],
    ["a public key's", `whpk_${toBase64(new Uint8Array(32))}`],
    ["prefixed twice", `whsec_whsec_${toBase64(new Uint8Array(24))}`],
  ] as const)("that is %s is refused at registration and not repeated", ([, secret]) => {
    const error = mustFail(checkSecret({ scheme: SCHEME }, secret));
    expect(error.code).toBe("invalid_request");
    expect(error.issues?.[0]?.path).toBe("secret");
    if (secret !== "whsec_") expect(JSON.stringify(error)).not.toContain(secret);
  });
});
