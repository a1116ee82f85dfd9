import { reset } from "cloudflare:test";
import { z } from "@hono/zod-openapi";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bodyOf } from "../../workers/responses.ts";
import { routesTagged } from "../../workers/route.ts";
import { rows } from "../durable/api.ts";
import { description, exampleOf, operations, type Operation } from "./description.ts";
import { examplesOf, unknownNames, withMember } from "./example-requests.ts";
import { call, placesOf, problemOf } from "./http.ts";

beforeEach(async () => {
  await call("GET", "/v1/peers"); // the coordinator makes its tables
});

afterEach(async () => {
  await reset();
});

/** Runs of each property, per operation. */
const RUNS = 25;

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

/** The operations that take what other people write: events, at addresses that their senders extend. */
const OF_OTHERS = ["POST /v1/webhooks/{name}"];

/** Everything that the coordinator has stored. */
async function stored(): Promise<unknown> {
  const tables = await rows(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name",
  );
  const all: unknown[] = [];
  for (const { name } of tables) all.push([name, await rows(`SELECT * FROM "${String(name)}"`)]);
  return all;
}

type JsonSchema = Readonly<Record<string, unknown>>;

function bodySchemaOf({ requestBody }: Operation): JsonSchema | null {
  const content = requestBody?.content["application/json"] as { schema?: JsonSchema } | undefined;
  return content?.schema ?? null;
}

async function withBodies(): Promise<readonly (readonly [Operation, JsonSchema])[]> {
  return (await operations()).flatMap((operation) => {
    const schema = bodySchemaOf(operation);
    return schema === null || OF_OTHERS.includes(nameOf(operation)) ? [] : [[operation, schema]];
  });
}

describe("a body", () => {
  it("HT30 with one unknown field, anywhere in it, is refused with the path of that field, and nothing is stored", async () => {
    const all = await withBodies();
    expect(all.length).toBeGreaterThan(20);
    const root = (await description()) as unknown as JsonSchema;
    const before = await stored();
    for (const [{ method, path }, schema] of all) {
      const requests = examplesOf(schema, root).chain(({ value, closed }) =>
        fc.constantFrom(...closed).chain((place) =>
          fc
            .tuple(unknownNames(place.fields), fc.jsonValue({ maxDepth: 1 }))
            .map(([name, member]) => ({
              json: withMember(value, place.path, name, member),
              place: [...place.path, name].join("."),
            })),
        ),
      );
      await fc.assert(
        fc.asyncProperty(requests, async ({ json, place }) => {
          const reply = await call(method, exampleOf(path), { json });
          expect(placesOf(reply)).toContain(place);
        }),
        { numRuns: RUNS },
      );
    }
    expect(await stored()).toEqual(before);
  });

  it("HT34 is described as an object without further fields, at every level", async () => {
    const root = (await description()) as unknown as JsonSchema;
    for (const [operation, schema] of await withBodies()) {
      const [sample] = fc.sample(examplesOf(schema, root), 1);
      expect([nameOf(operation), sample?.closed[0]?.path]).toEqual([nameOf(operation), []]);
    }
  });

  it("HT30 the field that may be meant is named, of the same object or of another level", async () => {
    const peer = "0".repeat(32);
    const suggested = async (json: object): Promise<unknown> =>
      problemOf(await call("POST", "/v1/tasks", { json }), "invalid_request").issues;
    const unknown = (path: string, meant: string) => [
      { path, message: `this field does not exist; did you mean \`${meant}\`?` },
    ];
    expect(await suggested({ kind: "a", peerId: peer })).toEqual(
      unknown("peerId", "requirements.peer_id"),
    );
    expect(await suggested({ kind: "a", requirements: { peerid: peer } })).toEqual(
      unknown("requirements.peerid", "requirements.peer_id"),
    );
    expect(await suggested({ kind: "a", maxAttempts: 1 })).toEqual(
      unknown("maxAttempts", "max_attempts"),
    );
    const near = { latitude: 1, longitude: 2, longitud: 3 };
    expect(await suggested({ kind: "a", requirements: { near } })).toEqual(
      unknown("requirements.near.longitud", "requirements.near.longitude"),
    );
    const reply = await call("POST", "/v1/task-batches", {
      json: { tasks: [{ kind: "a" }, { kind: "a", peer_id: peer }] },
    });
    expect(problemOf(reply, "invalid_request").issues).toEqual(
      unknown("tasks.1.peer_id", "tasks.1.requirements.peer_id"),
    );
  });

  it("HT30 with thousands of unknown fields gets a short answer", async () => {
    const fields = Array.from({ length: 1_000 }, (_, n) => [`${"long".repeat(50)}${n}`, n]);
    const json = { kind: "a", ...Object.fromEntries(fields) };
    const reply = await call("POST", "/v1/tasks", { json });
    expect(problemOf(reply, "invalid_request").issues).toHaveLength(20);
    expect(reply.text.length).toBeLessThan(10_000);
  });

  it.each([
    ['{"kind":"a","kind":"b"}', "kind"],
    ['{"kind":"a","requirements":{"peer_id":1,"min_score":0,"peer_id":2}}', "requirements.peer_id"],
    ['{"kind":"a","requirements":{},"requirements":{}}', "requirements"],
    [String.raw`{"kind":"a","k\u0069nd":"b"}`, "kind"],
    ['{"kind":"a","payload":{"list":[0,{"x":1,"y":2,"x":3}]}}', "payload.list.1.x"],
    ['{"kind":"a","__proto__":1,"__proto__":1}', "__proto__"],
  ])("HT32 with a repeated field is refused with its path: %s", async (raw, place) => {
    const headers = { "Content-Type": "application/json" };
    expect(placesOf(await call("POST", "/v1/tasks", { raw, headers }))).toEqual([place]);
  });
});

describe("a path without a body", () => {
  it("HT33 refuses one, unless it is empty or {}", async () => {
    const before = await stored();
    for (const operation of await operations()) {
      const { method, path, requestBody } = operation;
      if (method === "GET" || requestBody !== undefined) continue;
      const reply = await call(method, exampleOf(path), { json: { keep_tasks: true } });
      expect([nameOf(operation), placesOf(reply)]).toEqual([nameOf(operation), ["keep_tasks"]]);
      problemOf(await call(method, exampleOf(path), { raw: "x" }), "invalid_request");
      problemOf(await call(method, exampleOf(path), { raw: "x".repeat(9_000) }), "invalid_request");
    }
    expect(await stored()).toEqual(before);
    const { status } = await call("POST", `/v1/peers/${"0".repeat(32)}/cordon`, { raw: " {} \n" });
    expect(status).toBe(404);
  });
});

describe("a query", () => {
  it("HT31 with an unknown, a repeated or an empty parameter is refused with its name", async () => {
    const before = await stored();
    const root = (await description()) as unknown as JsonSchema;
    for (const operation of await operations()) {
      const { method, path, parameters = [] } = operation;
      if (OF_OTHERS.includes(nameOf(operation))) continue;
      const known = parameters.filter((each) => each.in === "query");
      const names = known.map(({ name }) => name);
      const valid = fc.record(
        Object.fromEntries(
          known.map(({ name, schema }) => [
            name,
            examplesOf(schema, root)
              .map(({ value }) => String(value))
              .filter((text) => text.trim() !== ""),
          ]),
        ),
        { requiredKeys: known.filter(({ required }) => required).map(({ name }) => name) },
      );
      const wrong = fc.oneof(
        unknownNames(names).map((name) => ({ name, values: ["1"] })),
        ...(names.length === 0
          ? []
          : [
              fc
                .constantFrom(...names)
                .chain((name) =>
                  fc
                    .constantFrom(["1", "1"], ["1", "2", "3"], [""], [" "])
                    .map((values) => ({ name, values })),
                ),
            ]),
      );
      await fc.assert(
        fc.asyncProperty(
          valid,
          wrong,
          fc.boolean(),
          async (parametersOf, { name, values }, isFirst) => {
            const right = Object.entries(parametersOf).filter(([key]) => key !== name);
            const bad = values.map((value) => [name, value] as [string, string]);
            const query = new URLSearchParams(isFirst ? [...bad, ...right] : [...right, ...bad]);
            const json = operation.requestBody === undefined ? undefined : {};
            const reply = await call(method, `${exampleOf(path)}?${query.toString()}`, { json });
            expect([nameOf(operation), placesOf(reply)]).toEqual([nameOf(operation), [name]]);
          },
        ),
        { numRuns: RUNS },
      );
    }
    expect(await stored()).toEqual(before);
  });

  it("HT31 the parameter that may be meant is named", async () => {
    const reply = await call("GET", "/v1/tasks?createdAfter=2030-01-31T08:00:00Z&Kind=a");
    expect(problemOf(reply, "invalid_request").issues).toEqual([
      {
        path: "createdAfter",
        message: "this parameter does not exist; did you mean `created_after`?",
      },
      { path: "Kind", message: "this parameter does not exist; did you mean `kind`?" },
    ]);
    const none = await call("GET", "/v1/mesh?verbose=1", { token: null });
    expect(problemOf(none, "invalid_request").issues).toEqual([
      { path: "verbose", message: "this path takes no parameters in its query" },
    ]);
  });

  it("HT35 of a webhook's address is its sender's", async () => {
    const reply = await call("POST", "/v1/webhooks/nobody?anything=1&anything=", {
      json: { x: 1 },
    });
    problemOf(reply, "not_found");
  });
});

describe("the definition of a route", () => {
  const { define } = routesTagged("test", {});
  const details = { operationId: "test", summary: "A test", responses: {} };

  it("HT34 is refused if its body or its query would ignore an unknown field, at any level", () => {
    const inner = z.strictObject({ list: z.array(z.object({ a: z.string() })).optional() });
    const body = (schema: z.ZodType) => () =>
      define("work", "post", "/v1/tests", { ...details, request: { body: bodyOf(schema, {}) } });
    expect(body(inner)).toThrow("POST /v1/tests ignores unknown fields (list.[])");
    expect(body(z.strictObject({ a: z.union([z.string(), z.object({})]) }))).toThrow("(a)");
    expect(body(z.strictObject({ a: z.looseObject({}) }))).toThrow("(a)");
    expect(body(z.strictObject({ a: z.lazy(() => z.strictObject({})) }))).toThrow("(a)");
    expect(body(z.strictObject({ a: z.record(z.string(), z.unknown()) }))).not.toThrow();
    expect(() =>
      define("read", "get", "/v1/tests", { ...details, request: { query: z.object({}) } }),
    ).toThrow("ignores unknown fields (the schema itself)");
  });
});
