import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import {
  encryptBase64,
  fileField,
  generateKeyPair,
  PAYLOAD_FIELD,
  textField,
  type FormData as SealedForm,
} from "../../src/stmf/index.ts";
import { sealedForms, type SealedFormVariables } from "../../workers/sealed-forms.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";

/** A site whose handlers answer with the form that they received. */
export const KEYS = generateKeyPair(seededRandom(1));
const OLD_KEYS = generateKeyPair(seededRandom(2));
const MAX_BYTES = 64 * 1_024;

export function createSite() {
  const site = new Hono<{ Variables: SealedFormVariables }>();
  const privateKeys = [KEYS.privateKey, toBase64(OLD_KEYS.privateKey)];
  site.use("/form", sealedForms({ privateKeys, maxBytes: MAX_BYTES }));
  site.use("/required", sealedForms({ privateKeys: () => KEYS.privateKey, required: true }));
  site.use(
    "/own",
    sealedForms({ privateKeys, field: "sealed", onError: (c, { code }) => c.text(code, 422) }),
  );
  site.use("/keyless", sealedForms({ privateKeys: [] }));
  site.use("/misconfigured", sealedForms({ privateKeys: () => "no key" }));
  site.onError((error, c) => c.text(error.message, 500));
  site.all("/*", async (c) => {
    const sealed = c.get("sealedForm") ?? null;
    const type = c.req.header("Content-Type") ?? "";
    const form = type.includes("form") ? await c.req.formData() : new FormData();
    const entries = await Promise.all(
      [...form.entries()].map(async ([name, entry]) => [
        name,
        typeof entry === "string"
          ? entry
          : { file: entry.name, type: entry.type, text: await entry.text() },
      ]),
    );
    const parsed = type.includes("form") ? Object.keys(await c.req.parseBody()).toSorted() : [];
    const body = type.includes("form") ? null : await c.req.text();
    return c.json({ method: c.req.method, sealed, entries, parsed, body });
  });
  return site;
}

interface Echo {
  readonly method: string;
  readonly sealed: SealedForm | null;
  readonly entries: readonly (readonly [string, unknown])[];
  readonly parsed: readonly string[];
  readonly body: string | null;
}

const FORM: SealedForm = {
  fields: [
    textField("user", "ada"),
    textField("secret", "päss & wörd = 100 %", "password"),
    textField("tag", "one"),
    textField("tag", "two"),
    fileField("doc", utf8("hello"), "hello.txt", "text/plain"),
  ],
  meta: { origin: "https://example.com" },
};

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

const KINDS = {
  "multipart/form-data": (fields: Iterable<readonly [string, string | File]>) => {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value as string);
    return form;
  },
  "application/x-www-form-urlencoded": (fields: Iterable<readonly [string, string]>) =>
    new URLSearchParams([...fields].map(([name, value]) => [name, value])),
} as const;

/** The contract of a site that opens sealed forms, on any runtime. `ask` sends a request to the site. */
export function sealedFormsSuite(runtime: string, ask: Fetch): void {
  const post = async (path: string, body: RequestInit["body"], method = "POST") => {
    const response = await ask(path, { method, body: body as BodyInit });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const echoed = async (
    path: string,
    body: RequestInit["body"],
    method = "POST",
  ): Promise<Echo> => {
    const { status, text } = await post(path, body, method);
    expect(status, text).toBe(200);
    return JSON.parse(text) as Echo;
  };
  const payloadOf = (form = FORM, keys: typeof KEYS = KEYS) => encryptBase64(form, keys.publicKey);

  describe.each(Object.entries(KINDS))(`a form post as %s, on ${runtime}`, (_kind, bodyOf) => {
    it("ST13 handlers receive the opened fields, files, types and metadata", async () => {
      const echo = await echoed("/form", bodyOf([[PAYLOAD_FIELD, await payloadOf()]]));
      expect(echo.sealed).toEqual(FORM);
      expect(echo.entries).toEqual([
        ["user", "ada"],
        ["secret", "päss & wörd = 100 %"],
        ["tag", "one"],
        ["tag", "two"],
        ["doc", { file: "hello.txt", type: "text/plain", text: "hello" }],
      ]);
      expect(echo.parsed).toEqual(["doc", "secret", "tag", "user"]);
    });

    it("ST13 visible fields are kept, except those with the name of a sealed field", async () => {
      const echo = await echoed(
        "/form",
        bodyOf([
          ["csrf", "t"],
          ["user", "mallory"],
          [PAYLOAD_FIELD, await payloadOf()],
          ["user", "eve"],
        ]),
      );
      const of = (wanted: string) => echo.entries.filter(([name]) => name === wanted);
      expect(of("user")).toEqual([["user", "ada"]]);
      expect(of("csrf")).toEqual([["csrf", "t"]]);
      expect(of(PAYLOAD_FIELD)).toEqual([]);
    });

    it.each(["PUT", "PATCH"])(
      "ST13 a sealed form is also opened in a %s request",
      async (method) => {
        const echo = await echoed("/form", bodyOf([[PAYLOAD_FIELD, await payloadOf()]]), method);
        expect(echo).toMatchObject({ method, sealed: FORM });
      },
    );

    it("ST13 each of the site's keys opens a form, also one sealed to several keys", async () => {
      const old = await payloadOf(FORM, OLD_KEYS);
      expect((await echoed("/form", bodyOf([[PAYLOAD_FIELD, old]]))).sealed).toEqual(FORM);
      const strangers = generateKeyPair(seededRandom(3));
      const several = await encryptBase64(FORM, [strangers.publicKey, KEYS.publicKey]);
      expect((await echoed("/form", bodyOf([[PAYLOAD_FIELD, several]]))).sealed).toEqual(FORM);
    });

    it("ST13 a form without a sealed payload is passed on unchanged, unless one is required", async () => {
      const plain = () => bodyOf([["user", "ada"]]);
      const echo = await echoed("/form", plain());
      expect([echo.sealed, echo.entries]).toEqual([null, [["user", "ada"]]]);
      const refused = await post("/required", plain());
      expect(refused.status).toBe(400);
      expect(JSON.parse(refused.text)).toMatchObject({ code: "invalid_request" });
      const sealed = await echoed("/required", bodyOf([[PAYLOAD_FIELD, await payloadOf()]]));
      expect(sealed.sealed).toEqual(FORM);
    });

    it("ST14 every invalid container gets the same response, byte for byte", async () => {
      const stranger = generateKeyPair(seededRandom(3));
      const whole = await payloadOf();
      const wrong = [
        "",
        "no base64",
        "AAAA",
        whole.slice(0, -4),
        `${whole.slice(0, -8)}AAAAAAAA`,
        await encryptBase64(FORM, stranger.publicKey),
      ];
      const answers = [];
      for (const payload of wrong) {
        answers.push(await post("/form", bodyOf([[PAYLOAD_FIELD, payload]])));
      }
      expect(answers.map(({ status }) => status)).toEqual(wrong.map(() => 400));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(answers[0]?.headers.get("Content-Type")).toContain("application/problem+json");
    });

    it("ST14 a form with two sealed payloads is refused as ambiguous", async () => {
      const payload = await payloadOf();
      const { status } = await post(
        "/form",
        bodyOf([
          [PAYLOAD_FIELD, payload],
          [PAYLOAD_FIELD, payload],
        ]),
      );
      expect(status).toBe(400);
    });

    it("ST14 a body over the site's limit is refused before it is read", async () => {
      const form = { fields: [textField("long", "x".repeat(MAX_BYTES))] };
      const answer = await post("/form", bodyOf([[PAYLOAD_FIELD, await payloadOf(form)]]));
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text)).toMatchObject({ code: "payload_too_large" });
    });

    it("ST14 a site can configure the response to an invalid form and the payload field's name", async () => {
      const echo = await echoed("/own", bodyOf([["sealed", await payloadOf()]]));
      expect(echo.sealed).toEqual(FORM);
      const answer = await post("/own", bodyOf([["sealed", "AAAA"]]));
      expect([answer.status, answer.text]).toEqual([422, "container_invalid"]);
    });
  });

  describe(`other requests, on ${runtime}`, () => {
    it("ST13 requests with another method or media type are passed on unchanged", async () => {
      const got = await ask("/form?_stmf_payload=AAAA", { method: "GET" });
      const unposted: Echo = await got.json();
      expect(unposted.sealed).toBeNull();
      const json = await ask("/form", {
        method: "POST",
        body: `{"${PAYLOAD_FIELD}":"AAAA"}`,
        headers: { "Content-Type": "application/json" },
      });
      const posted: Echo = await json.json();
      expect(posted.body).toBe(`{"${PAYLOAD_FIELD}":"AAAA"}`);
    });

    it("ST13 requests with another body are refused where a sealed form is required", async () => {
      const json = await ask("/required", {
        method: "POST",
        body: "{}",
        headers: { "Content-Type": "application/json" },
      });
      expect(json.status).toBe(415);
      expect((await ask("/required", { method: "DELETE" })).status).toBe(200);
    });

    it("ST14 a site without a usable key answers 500", async () => {
      for (const path of ["/keyless", "/misconfigured"]) {
        const body = KINDS["multipart/form-data"]([[PAYLOAD_FIELD, await payloadOf()]]);
        expect((await post(path, body)).status).toBe(500);
      }
    });

    it("ST14 a body that does not match its form media type is refused", async () => {
      const answer = await ask("/form", {
        method: "POST",
        body: "not of parts",
        headers: { "Content-Type": "multipart/form-data; boundary=x" },
      });
      expect(answer.status).toBe(400);
    });

    it("ST14 a payload in a file field is refused", async () => {
      const body = KINDS["multipart/form-data"]([
        [PAYLOAD_FIELD, new File([await payloadOf()], "p")],
      ]);
      expect((await post("/form", body)).status).toBe(400);
    });

    it("ST4 files of 0 bytes and of 1 byte are passed on unchanged", async () => {
      for (const length of [0, 1]) {
        const form = { fields: [fileField("f", new Uint8Array(length), "f.bin", "a/b")] };
        const body = KINDS["multipart/form-data"]([[PAYLOAD_FIELD, await payloadOf(form)]]);
        const echo = await echoed("/form", body);
        expect(echo.sealed).toEqual(form);
        expect(present(echo.entries[0])[1]).toMatchObject({
          file: "f.bin",
          text: "\0".repeat(length),
        });
      }
    });
  });
}
