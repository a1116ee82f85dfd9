import { describe, expect, test } from "vitest";
import { jsonReport } from "../../src/conformance/report/json-report.ts";
import { junitReport } from "../../src/conformance/report/junit-report.ts";
import { resultLines, summaryLine } from "../../src/conformance/report/text-report.ts";
import type { CheckResult } from "../../src/conformance/result.ts";

const INFO = {
  level: "must",
  subset: "core",
  statement: "A ping is answered.",
  section: "protocol.md#ping-and-pong",
  seconds: 1,
  tookSeconds: 0.25,
} as const;
const RESULTS: readonly CheckResult[] = [
  { ...INFO, id: "AA01", outcome: "passed" },
  {
    ...INFO,
    id: "AA02",
    outcome: "failed",
    expected: "a <pong>",
    seen: '"ping" & \u0000\ud800]]>',
    frames: ["0.1 s -> dial", "0.2 s <- welcome"],
    output: ["Traceback"],
  },
  { ...INFO, id: "AA03", level: "should", outcome: "failed", expected: "a", seen: "b" },
  { ...INFO, id: "AA04", outcome: "not_applicable", seen: "no prefetch" },
];
const ABOUT = { protocol: "muster/2", subject: "peer" } as const;

describe("a report", () => {
  test("CF5 as text has what was expected and seen, and the last frames", () => {
    expect(RESULTS.flatMap(resultLines)).toEqual([
      "ok    AA01  must    A ping is answered.",
      "FAIL  AA02  must    A ping is answered.",
      "      expected  a <pong>",
      '      seen      "ping" & \u0000\ud800]]>',
      "      section   protocol.md#ping-and-pong",
      "      frames    0.1 s -> dial",
      "                0.2 s <- welcome",
      "      output    Traceback",
      "FAIL  AA03  should  A ping is answered.",
      "      expected  a",
      "      seen      b",
      "      section   protocol.md#ping-and-pong",
      "n/a   AA04  must    A ping is answered.",
      "      because   no prefetch",
    ]);
    expect(summaryLine(RESULTS)).toBe(
      "4 checks: 1 passed, 1 must failed, 1 should failed, 1 not applicable",
    );
    expect(summaryLine(RESULTS.slice(0, 1))).toBe("1 checks: 1 passed");
  });

  test("CF5 as JSON says whether the subject conforms: no check of the level must has failed", () => {
    const report = jsonReport(ABOUT, RESULTS);
    expect(report).toMatchObject({
      protocol: "muster/2",
      subject: "peer",
      conforms: false,
      passed: 1,
      failed_must: 1,
      failed_should: 1,
      not_applicable: 1,
    });
    expect(report.checks[1]).toMatchObject({ id: "AA02", outcome: "failed", took_seconds: 0.25 });
    expect(jsonReport(ABOUT, RESULTS.slice(2)).conforms).toBe(true);
  });

  test("CF5 as JUnit is well-formed XML, whatever a peer has sent", () => {
    const xml = junitReport("a <suite>", RESULTS);
    expect(xml).toContain('<testsuite name="a &lt;suite&gt;" tests="4" failures="2" skipped="1"');
    expect(xml).toContain("expected a &lt;pong&gt;; seen: &quot;ping&quot; &amp; ?\ufffd]]&gt;");
    expect(xml).toContain('<skipped message="no prefetch"/>');
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    // oxlint-disable-next-line no-control-regex
    expect(xml).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/);
    const text = xml.replaceAll(/<[^<>]*>/g, "");
    expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
  });
});
