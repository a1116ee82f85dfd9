import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import {
  decrypt,
  encrypt,
  fileContent,
  fileField,
  formOf,
  generateKeyPair,
  textField,
  valueOf,
  valuesOf,
  webFormOf,
} from "../../src/stmf/index.ts";
import { seededRandom } from "../random.ts";

const FORM = {
  fields: [
    textField("user", "ada"),
    textField("secret", "pass", "password"),
    textField("tag", "one"),
    textField("tag", "two"),
    fileField("doc", utf8("hello"), "hello.txt", "text/plain"),
    fileField("none", new Uint8Array(), "empty"),
  ],
};

describe("a form's fields", () => {
  test("ST3 valueOf returns the first value of a name, valuesOf all of them in order", () => {
    expect(valueOf(FORM, "user")).toBe("ada");
    expect(valueOf(FORM, "tag")).toBe("one");
    expect(valuesOf(FORM, "tag")).toEqual(["one", "two"]);
    expect(valueOf(FORM, "nobody")).toBeUndefined();
    expect(valuesOf(FORM, "nobody")).toEqual([]);
  });

  test("ST3 a field is text with a type, or a file with a file name and a media type", () => {
    expect(textField("a", "b")).toEqual({ name: "a", value: "b", type: "text" });
    expect(fileField("doc", utf8("hello"), "hello.txt", "text/plain")).toEqual({
      name: "doc",
      value: "aGVsbG8=",
      type: "file",
      filename: "hello.txt",
      mime: "text/plain",
    });
  });

  test("ST3 fileContent returns a file's bytes, also of an empty file, and null for other fields", () => {
    const [user, , , , doc, none] = FORM.fields;
    expect(doc && fileContent(doc)).toEqual(utf8("hello"));
    expect(none && fileContent(none)).toEqual(new Uint8Array());
    expect(user && fileContent(user)).toBeNull();
    expect(fileContent({ name: "f", value: "no base64", type: "file" })).toBeNull();
  });

  test("ST3 fields convert from and to a browser's FormData, files included", async () => {
    const web = webFormOf(FORM);
    expect(web.getAll("tag")).toEqual(["one", "two"]);
    const doc = web.get("doc") as File;
    expect([doc.name, doc.type, await doc.text()]).toEqual(["hello.txt", "text/plain", "hello"]);
    const text = { ...FORM.fields[1], type: "text" }; // a browser's form has no types
    expect(await formOf(web)).toEqual({ fields: FORM.fields.with(1, text as never) });
  });

  test("ST3 a file field whose value is not base64 is converted to text", () => {
    const web = webFormOf({ fields: [{ name: "f", value: "no base64", type: "file" }] });
    expect(web.get("f")).toBe("no base64");
  });

  test("ST3 a round trip through FormData changes only unpaired surrogates", async () => {
    const { privateKey, publicKey } = generateKeyPair(seededRandom(1));
    const form = {
      fields: [{ name: "a\ud800", value: "\udc00b", type: "\ud800", filename: "😀\ud83d" }],
      meta: { "\ud800": "\udfff" },
    };
    expect(await decrypt(await encrypt(form, publicKey), privateKey)).toEqual({
      fields: [{ name: "a\ufffd", value: "\ufffdb", type: "\ufffd", filename: "😀\ufffd" }],
      meta: { "\ufffd": "\ufffd" },
    });
  });
});
