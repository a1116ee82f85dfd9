/** What generators of clients need of the API's description. The test clients of test/interop/openapi-clients.test.ts use it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ZodType } from "zod";
import { ERROR_CODES, statusOf, type ErrorCode } from "../../src/protocol/errors.ts";
import { createApi } from "../../workers/app.ts";
import type { CheckedRoute } from "../../workers/route.ts";
import type { Description, MediaType, Operation } from "../workers/description.ts";
import { schemaFaults } from "../workers/schema-faults.ts";

const DESCRIPTION = (await (
  await createApi().app.request("/openapi.json", {}, {})
).json()) as Description;
const OPERATIONS: readonly Operation[] = Object.entries(DESCRIPTION.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
);
const SCHEMAS = DESCRIPTION.components["schemas"] as Readonly<Record<string, JsonSchema>>;

type JsonSchema = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every schema below a part of the description, with its path; references are followed once. */
function* schemasIn(
  value: unknown,
  path = "",
  seen = new Set<string>(),
): Generator<[path: string, schema: JsonSchema]> {
  if (Array.isArray(value)) {
    for (const [at, each] of value.entries()) yield* schemasIn(each, `${path}[${at}]`, seen);
    return;
  }
  if (!isObject(value)) return;
  const name = typeof value["$ref"] === "string" ? (value["$ref"].split("/").at(-1) ?? "") : null;
  if (name !== null) {
    if (seen.has(name) || !(name in SCHEMAS)) return;
    seen.add(name);
    yield* schemasIn(SCHEMAS[name], name, seen);
    return;
  }
  yield [path, value];
  for (const [key, each] of Object.entries(value))
    if (!["example", "examples", "enum"].includes(key))
      yield* schemasIn(each, `${path}.${key}`, seen);
}

const bodies = (): [name: string, media: MediaType][] =>
  OPERATIONS.flatMap(({ operationId, requestBody }) =>
    Object.values(requestBody?.content ?? {}).map((media): [string, MediaType] => [
      operationId,
      media,
    ]),
  );

describe("the operations of the API's description", () => {
  test("HT65 have unique names in camelCase, which never change and are never taken away", () => {
    const names = OPERATIONS.map(({ operationId }) => operationId);
    expect(names.filter((name) => !/^[a-z]+(?:[A-Z0-9][a-z0-9]*)*$/.test(name))).toEqual([]);
    const known = JSON.parse(
      readFileSync(`${import.meta.dirname}/operations.json`, "utf8"),
    ) as Readonly<Record<string, string>>;
    // A new operation is added to the file. What is in it stays: generated clients call these names.
    expect(
      Object.fromEntries(
        OPERATIONS.map(({ operationId, method, path }) => [operationId, `${method} ${path}`]),
      ),
    ).toEqual(known);
    expect(new Set(names).size).toBe(names.length);
  });

  test("HT70 have one tag each, which is described, and are served where the description is", () => {
    const tags = DESCRIPTION.tags.map(({ name }) => name);
    expect(new Set(OPERATIONS.flatMap((operation) => operation.tags))).toEqual(new Set(tags));
    for (const operation of OPERATIONS) expect(operation.tags).toHaveLength(1);
    for (const tag of DESCRIPTION.tags) expect(tag.description).toMatch(/^[A-Z].{10,}$/);
    expect(DESCRIPTION.servers.map(({ url }) => url)).toEqual(["/"]);
  });

  test("HT68 list each status of an error with its codes, and a document of each", () => {
    const examples = DESCRIPTION.components["examples"] as Record<string, { value: JsonSchema }>;
    const used = new Set<string>();
    for (const { operationId, responses } of OPERATIONS)
      for (const [status, { description, content }] of Object.entries(responses)) {
        if (!/^[45]/.test(status)) continue;
        const codes = Object.keys(content?.["application/problem+json"]?.examples ?? {});
        expect([operationId, status, codes.length > 0]).toEqual([operationId, status, true]);
        for (const code of codes) {
          used.add(code);
          expect(ERROR_CODES).toContain(code);
          expect(statusOf(code as ErrorCode)).toBe(Number(status));
          expect(description).toContain(`\`${code}\``);
          expect(examples[code]?.value).toMatchObject({ code, status: Number(status) });
        }
      }
    expect(Object.keys(examples).toSorted()).toEqual([...used].toSorted());
  });
});

describe("the schemas of the API's description", () => {
  test("HT66 require of a caller no field that has a default, and state the default in words", () => {
    let told = 0;
    for (const [name, media] of bodies())
      for (const [path, schema] of schemasIn(media.schema)) {
        expect([name, path, "default" in schema]).toEqual([name, path, false]);
        const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
        for (const [field, { description = "" }] of Object.entries(properties))
          if (String(description).includes("Default: `")) {
            told++;
            expect(schema["required"] ?? []).not.toContain(field);
          }
      }
    expect(told).toBeGreaterThan(30);
  });

  test("HT66 promise of an answer every field, also one that has a default", () => {
    const task = SCHEMAS["Task"] as { required: string[]; properties: object };
    const free = ["payload", "result"];
    expect([...task.required, ...free].toSorted()).toEqual(Object.keys(task.properties).toSorted());
    for (const { operationId, responses } of OPERATIONS)
      for (const [path, schema] of schemasIn(responses))
        expect([operationId, path, "default" in schema]).toEqual([operationId, path, false]);
  });

  test("HT66 name no schema that is sometimes null: whoever refers to it says so", () => {
    for (const [name, { type }] of Object.entries(SCHEMAS))
      expect([name, type]).toEqual([name, "object"]);
    for (const { operationId, parameters = [] } of OPERATIONS)
      for (const { name, schema } of parameters)
        expect([operationId, name, Array.isArray(schema["type"])]).toEqual([
          operationId,
          name,
          false,
        ]);
  });

  test("HT69 have only examples that they allow", () => {
    let checked = 0;
    for (const [path, schema] of schemasIn(DESCRIPTION)) {
      if (!("example" in schema) || !("type" in schema)) continue;
      checked++;
      expect([path, schemaFaults(schema, schema["example"], DESCRIPTION)]).toEqual([path, []]);
    }
    for (const { parameters = [] } of OPERATIONS)
      for (const { schema } of parameters)
        if ("example" in schema)
          expect(schemaFaults(schema, schema["example"], DESCRIPTION)).toEqual([]);
    expect(checked).toBeGreaterThan(10);
  });

  test("HT69 have an example of each body, which the route accepts", () => {
    const { definitions } = createApi().router;
    const parsers = new Map(definitions.map((route) => [route.operationId, jsonSchemaOf(route)]));
    for (const [name, media] of bodies()) {
      const parser = parsers.get(name);
      // Sealed bytes and the events of others have no form that an example could show.
      if (["uploadTaskResult", "deliverWebhook", "putImportPart"].includes(name)) continue;
      expect([name, media.example]).not.toContain(undefined);
      expect([name, parser?.safeParse(media.example)]).toMatchObject([name, { success: true }]);
      expect([name, schemaFaults(media.schema, media.example, DESCRIPTION)]).toEqual([name, []]);
    }
  });
});

/** The schema by which a route reads its JSON body. */
function jsonSchemaOf({ request }: CheckedRoute): ZodType | undefined {
  const content = request?.body?.content["application/json"];
  return content !== undefined && "schema" in content ? (content.schema as ZodType) : undefined;
}
