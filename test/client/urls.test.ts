import { expect, test } from "vitest";
import { OptionsError } from "../../src/client/errors.ts";
import { apiBase, connectUrl } from "../../src/client/urls.ts";

test.each([
  ["http://mesh.test", "ws://mesh.test/v1/connect", "http://mesh.test/"],
  ["https://mesh.test:8443/", "wss://mesh.test:8443/v1/connect", "https://mesh.test:8443/"],
  ["ws://mesh.test/base", "ws://mesh.test/base/v1/connect", "http://mesh.test/base/"],
  ["wss://mesh.test/base/", "wss://mesh.test/base/v1/connect", "https://mesh.test/base/"],
  ["https://mesh.test/?x=1#y", "wss://mesh.test/v1/connect", "https://mesh.test/"],
])("the mesh at %s has its WebSocket at %s and its API below %s", (url, socket, base) => {
  expect(connectUrl(url)).toBe(socket);
  expect(apiBase(url)).toBe(base);
});

test.each([
  ["muster://mesh.test/#ab&join=mjk_cd", "muster://mesh.test/"],
  ["ftp://me:secret@mesh.test/?key=secret", "ftp://mesh.test/"],
])("CL13 the refusal of %j names only %j", (url, shown) => {
  expect(() => apiBase(url)).toThrow(`"${shown}" is not the URL of a mesh`);
});

/** What a user may type or paste in place of a URL, with S as what nobody may read. */
const MISTYPED = [
  "me:S@mesh.test",
  "https//me:S@mesh.test",
  "https:/me:S@mesh.test:port",
  "htp://me:S@mesh.test",
  "https:\\\\me:S@mesh.test:port",
  "https://me:'S@mesh.test:port",
  "https://me:<S>@mesh.test:port",
  'https://me:"S S@mesh.test:port',
  "https://a@b:S@mesh.test:port",
  "mesh.test/v1/connect?proof=S",
  "mesh.test?S#S",
  "muster:mesh.test#S",
  "mesh.test:port#\nS",
  "https://[me:S@mesh.test",
];

test.each(MISTYPED)("CL13 the refusal of %j does not contain the secret", (url) => {
  const refuse = () => apiBase(url.replaceAll("S", "0123456789"));
  expect(refuse).toThrow(OptionsError);
  expect(refuse).toThrow(/^(?!.*01234)/s);
});

test("CL13 a URL with a password is refused without naming it", () => {
  const refused = "the URL of a mesh has no user and no password; pass a token instead";
  expect(() => connectUrl("https://me:secret@mesh.test")).toThrow(refused);
});

test.each(["", "mesh.test", "file:///etc", "javascript:alert(1)", "//mesh.test"])(
  "%j is not the URL of a mesh",
  (url) => {
    expect(() => connectUrl(url)).toThrow(OptionsError);
    expect(() => apiBase(url)).toThrow(OptionsError);
  },
);
