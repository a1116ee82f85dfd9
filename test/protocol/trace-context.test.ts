import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  readTrace,
  readTraceparent,
  readTracestate,
  traceHeaders,
} from "../../src/protocol/trace-context.ts";

const TRACE = "12345678901234567890123456789012";
const SPAN = "1234567890123456";
const VALID = `00-${TRACE}-${SPAN}-01`;

// The cases of the specification's own test suite (w3c/trace-context, test/test.py), and more.
describe("traceparent", () => {
  test.each([
    [VALID, VALID],
    [` \t${VALID}\t `, VALID],
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    [`00-${TRACE}-${SPAN}-03`, `00-${TRACE}-${SPAN}-03`],
    // Flags that no version defines are cleared.
    [`00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-03`],
    [`00-${TRACE}-${SPAN}-fc`, `00-${TRACE}-${SPAN}-00`],
    // Of a later version the fields of version 00 are read, and the first flag.
    [`cc-${TRACE}-${SPAN}-01`, VALID],
    [`cc-${TRACE}-${SPAN}-03`, VALID],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, VALID],
    [`cc-${TRACE}-${SPAN}-01-`, VALID],
    [`01-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
  ])("TR2 %j is read as %j", (text, read) => {
    expect(readTraceparent(text)).toBe(read);
  });

  test.each([
    "",
    "foo",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `cc-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01.`,
    `cc-${TRACE}-${SPAN}-01.what-the-future-will-be-like`,
    `cc-${TRACE}-${SPAN}-01x`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `0-${TRACE}-${SPAN}-01`,
    `.0-${TRACE}-${SPAN}-01`,
    `00-${TRACE.slice(1)}.-${SPAN}-01`,
    `00-${TRACE}1-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}1-01`,
    `00-${TRACE}-${SPAN}-.1`,
    VALID.replace("1234", "ABCD"),
    `00-${TRACE}-${SPAN}-0A`,
    `${VALID}, ${VALID}`,
    `${VALID}\n`,
    `00 -${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(600)}`,
  ])("TR3 %j is ignored", (text) => {
    expect(readTraceparent(text)).toBeNull();
  });

  test("TR2 whatever a caller sends, what is read has the form of version 00 and is read again as the same", () => {
    const hex = (length: number) =>
      fc.string({
        unit: fc.constantFrom(..."0123456789abcdefABCDEF".split("")),
        minLength: length - 1,
        maxLength: length + 1,
      });
    const almost = fc
      .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom("", "-", "-x", ".", "\n", " "))
      .map(([version, trace, span, flags, rest]) => `${version}-${trace}-${span}-${flags}${rest}`);
    fc.assert(
      fc.property(fc.oneof(almost, fc.string(), fc.string({ unit: "binary" })), (text) => {
        const read = readTraceparent(text);
        if (read === null) return;
        expect(read).toMatch(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-0[0-3]$/);
        expect(readTraceparent(read)).toBe(read);
        expect(text.slice(0, 2)).not.toBe("ff");
        expect(text).toContain(read.slice(3, 52));
      }),
      { numRuns: 2_000 },
    );
  });
});

const members = (count: number, length = 3): string =>
  Array.from({ length: count }, (_, n) => `k${n}=`.padEnd(length, "v")).join(",");

describe("tracestate", () => {
  test.each([
    ["foo=1", "foo=1"],
    ["foo=1,bar=2", "foo=1,bar=2"],
    ["foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"],
    [" ,foo=1,, ", "foo=1"],
    // The newest member of a key counts.
    ["foo=1,bar=2,foo=3", "foo=1,bar=2"],
    ["t-1/a*b_c@vendor=x y", "t-1/a*b_c@vendor=x y"],
    ["0tenant@vendor=1", "0tenant@vendor=1"],
    [`${"z".repeat(256)}=1`, `${"z".repeat(256)}=1`],
    [`${"t".repeat(241)}@${"v".repeat(14)}=1`, `${"t".repeat(241)}@${"v".repeat(14)}=1`],
    [`foo=${"v".repeat(256)}`, `foo=${"v".repeat(256)}`],
    ["foo=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~", "foo=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"],
    [members(32, 10), members(32, 10)],
  ])("TR4 %j is kept as %j", (text, read) => {
    expect(readTracestate(text)).toBe(read);
  });

  test.each([
    "",
    " , ",
    "foo",
    "foo=",
    "=1",
    "foo =1",
    "FOO=1",
    "foo.bar=1",
    "1foo=1",
    "foo@=1",
    "@foo=1",
    "foo@@bar=1",
    "foo@bar@baz=1",
    "foo=bar=baz",
    "foo=,bar=3",
    "foo=a\u00e9",
    "foo=a\nb",
    `${"z".repeat(257)}=1`,
    `${"t".repeat(242)}@v=1`,
    `t@${"v".repeat(15)}=1`,
    `foo=${"v".repeat(257)}`,
    members(33),
    `foo=1,${" ".repeat(9_000)}`,
  ])("TR4 %j is ignored as a whole", (text) => {
    expect(readTracestate(text)).toBeNull();
  });

  test("TR4 of more than 512 characters, long members go first, and then the oldest", () => {
    const long = `long=${"v".repeat(200)}`;
    const short = members(20, 20);
    expect(readTracestate(`${long},${short}`)).toBe(short);
    const oldest = members(32, 20);
    const kept = readTracestate(oldest) ?? "";
    expect(oldest.startsWith(`${kept},`)).toBe(true);
    expect(kept.length).toBeGreaterThan(480);
  });

  test("TR4 whatever a caller sends, what is kept is bounded and is read again as the same", () => {
    const member = fc
      .tuple(
        fc.string({ unit: fc.constantFrom(..."ab1@_*-/ A".split("")), maxLength: 270 }),
        fc.string({ maxLength: 270 }),
      )
      .map(([key, value]) => `${key}=${value}`);
    const list = fc.array(member, { maxLength: 40 }).map((all) => all.join(","));
    fc.assert(
      fc.property(fc.oneof(list, fc.string({ unit: "binary" })), (text) => {
        const read = readTracestate(text);
        if (read === null) return;
        expect(read.length).toBeLessThanOrEqual(512);
        expect(read).toMatch(/^[ -~]+$/);
        expect(readTracestate(read)).toBe(read);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("TR3 a tracestate means nothing without a traceparent, and a traceparent counts without a valid tracestate", () => {
  expect(readTrace({ tracestate: "foo=1" })).toBeNull();
  expect(readTrace({ traceparent: "foo", tracestate: "foo=1" })).toBeNull();
  expect(readTrace({ traceparent: VALID, tracestate: "FOO" })).toEqual({
    traceparent: VALID,
    tracestate: null,
  });
  const both = { traceparent: VALID, tracestate: "foo=1" };
  expect(traceHeaders(readTrace(both))).toEqual(both);
  expect(traceHeaders(readTrace({ traceparent: VALID }))).toEqual({ traceparent: VALID });
  expect(traceHeaders(null)).toEqual({});
});
