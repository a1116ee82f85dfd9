import { describe, expect, it } from "vitest";
import { exampleOf, operations } from "./description.ts";
import { call, placesOf, problemOf, type ProblemBody } from "./http.ts";

/** Texts that `Number` reads, some of them as a number in the range of most parameters. */
const NO_NUMBERS = [
  "1e0",
  "1E0",
  "0x1",
  "0b1",
  "0o1",
  "+1",
  "-1",
  "-0",
  "01",
  "1.",
  " 1",
  "1 ",
  "\n1",
  "1_0",
  "1,0",
  "true",
  "null",
  "[1]",
  "NaN",
  "Infinity",
  "\u0661",
];

interface NumberParameter {
  readonly method: string;
  readonly path: string;
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Every parameter of a query that `/openapi.json` describes as a number. */
async function numberParameters(): Promise<readonly NumberParameter[]> {
  return (await operations()).flatMap(({ method, path, parameters = [] }) =>
    parameters
      .filter(({ in: place, schema }) => place === "query" && isNumber(schema))
      .map(({ name, schema }) => ({ method, path, name, schema })),
  );
}

const isNumber = ({ type }: NumberParameter["schema"]): boolean =>
  type === "integer" || type === "number";

/** What is wrong with the parameter of a request; undefined if it was not refused for that. */
async function refusalOf({ method, path, name }: NumberParameter, text: string) {
  const query = `${name}=${encodeURIComponent(text)}`;
  const reply = await call(method, `${exampleOf(path)}?${query}`, {
    ...(method === "POST" && { json: { kind: "test" } }),
  });
  if (reply.status !== 400) return undefined;
  const { issues = [] } = reply.body as unknown as ProblemBody;
  return issues.find((issue) => issue.path === name)?.message;
}

describe("a number in a query", () => {
  it("HT102 is described with its range on every path that takes one", async () => {
    const all = await numberParameters();
    expect(new Set(all.map(({ name }) => name))).toEqual(
      new Set(["limit", "wait", "attempt", "min_score"]),
    );
    expect(all.length).toBeGreaterThanOrEqual(12);
    for (const { path, name, schema } of all)
      expect([path, name, schema]).toEqual([
        path,
        name,
        expect.objectContaining({
          minimum: expect.any(Number) as number,
          maximum: expect.any(Number) as number,
        }),
      ]);
  });

  it.each(NO_NUMBERS)("HT102 is not %j, on any path", async (text) => {
    for (const parameter of await numberParameters()) {
      const { path, name, schema } = parameter;
      const form = schema["type"] === "integer" ? "a whole number" : "a number";
      const range = `from ${String(schema["minimum"])} to ${String(schema["maximum"])}`;
      expect([path, name, await refusalOf(parameter, text)]).toEqual([
        path,
        name,
        `expected ${form} in decimal digits, ${range}`,
      ]);
    }
  });

  it("HT102 has no decimals where it is a whole number, and is in its range", async () => {
    for (const parameter of await numberParameters()) {
      const { schema } = parameter;
      const [minimum, maximum] = [Number(schema["minimum"]), Number(schema["maximum"])];
      if (schema["type"] === "integer")
        for (const text of ["1.0", "1.5", ".5"])
          expect(await refusalOf(parameter, text)).toContain("a whole number");
      if (minimum > 0) expect(await refusalOf(parameter, "0")).toContain(`>=${minimum}`);
      expect(await refusalOf(parameter, String(maximum + 1))).toContain(`<=${maximum}`);
      expect(await refusalOf(parameter, "9".repeat(400))).toBeDefined();
    }
  });

  it("HT102 is taken from its least to its largest value, with decimals where it may have some", async () => {
    for (const parameter of await numberParameters()) {
      const { name, schema } = parameter;
      const decimals = schema["type"] === "number" ? ["0.25", ".25", "1.0", "0.0000001"] : [];
      // A wait that is as long as it may be would last.
      const largest = name === "wait" ? [] : [String(schema["maximum"])];
      for (const text of [String(schema["minimum"]), ...largest, ...decimals])
        expect([name, text, await refusalOf(parameter, text)]).toEqual([name, text, undefined]);
    }
  });

  it("HT102 decides how much is answered", async () => {
    for (const kind of ["a", "b", "c"]) await call("POST", "/v1/tasks", { json: { kind } });
    const { body } = await call<{ tasks: readonly unknown[] }>("GET", "/v1/tasks?limit=2");
    expect(body.tasks).toHaveLength(2);
    const refused = await call("GET", "/v1/tasks?limit=2e0");
    expect(placesOf(refused)).toEqual(["limit"]);
    problemOf(refused, "invalid_request");
  });
});
