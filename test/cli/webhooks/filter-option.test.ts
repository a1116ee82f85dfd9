import { describe, expect, test } from "vitest";
import { filterText, readFilter } from "../../../src/cli/webhooks/filter-option.ts";
import { WebhookFilter } from "../../../src/protocol/http.ts";
import { seededNumbers } from "../../random.ts";

describe("--filter", () => {
  test.each([
    ["header:x-github-event=push", { header: "x-github-event", equals: "push" }],
    ["header:X-GitHub-Event=5", { header: "x-github-event", equals: "5" }],
    [
      'header:x-github-event=["push","release"]',
      { header: "x-github-event", one_of: ["push", "release"] },
    ],
    ["header:user-agent~GitHub-*", { header: "user-agent", matches: "GitHub-*" }],
    ["$.ref~refs/heads/*", { path: "$.ref", matches: "refs/heads/*" }],
    ["$.action=opened", { path: "$.action", equals: "opened" }],
    ["$.number=5", { path: "$.number", equals: 5 }],
    ['$.number="5"', { path: "$.number", equals: "5" }],
    ["$.draft=false", { path: "$.draft", equals: false }],
    ["$.base=null", { path: "$.base", equals: null }],
    ["$.empty=", { path: "$.empty", equals: "" }],
    ["$.text=a=b~c", { path: "$.text", equals: "a=b~c" }],
    ["$['a=b~c'].d=1", { path: "$['a=b~c'].d", equals: 1 }],
    ["$.list[0]=x", { path: "$.list[0]", equals: "x" }],
    ['$.action=["opened",1,null]', { path: "$.action", one_of: ["opened", 1, null] }],
    ["$.text=line one\nline two", { path: "$.text", equals: "line one\nline two" }],
  ])("CL29 %s", (text, filter) => {
    expect(readFilter(text)).toEqual(filter);
    expect(WebhookFilter.safeParse(readFilter(text)).success).toBe(true);
  });

  test.each([
    ["push", 'does not understand "push"'],
    ["x-github-event=push", 'does not understand "x-github-event=push"'],
    ["header:=push", "does not understand"],
    ["$.ref", 'does not understand "$.ref"'],
    ["$.ref~", "has an empty pattern"],
    ["$.a={}", "compares with an object"],
    ["$.a=[]", "compares with a list that is empty"],
    ["$.a=[[1]]", "compares with a list that is empty or has a list or an object"],
  ])("CL29 refuses %s, and shows the forms", (text, fault) => {
    expect(() => readFilter(text)).toThrow(fault);
  });

  test("CL29 every filter has a text that is read as the same filter", () => {
    const random = seededNumbers(5);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const scalar = () =>
      pick(["", "a", "5", "true", "null", '"q"', "[1]", "{}", "a=b", "~", 5, -1.5, true, null]);
    for (let round = 0; round < 500; round++) {
      const isHeader = random() < 0.5;
      const place = isHeader
        ? { header: pick(["x-event", "user-agent", "a"]) }
        : { path: pick(["$", "$.a", "$['a=b']", '$["~"].c', "$.a[0].b"]) };
      const value = isHeader ? pick(["", "a", "5", "a=b", "~x"]) : scalar();
      const filter = pick([
        { ...place, equals: value },
        { ...place, one_of: [scalar(), scalar()] },
        { ...place, matches: pick(["*", "a?", "=*", "[1]"]) },
      ]);
      expect(readFilter(filterText(filter))).toEqual(filter);
    }
  });
});
