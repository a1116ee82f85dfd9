import { describe, expect, it } from "vitest";
import { createApp } from "../../workers/app.ts";
import { description, operations, type Operation } from "./description.ts";
import { call, callWith } from "./http.ts";

/** Paths that need no token (HT1, tested in authorization.test.ts). */
const OPEN = [
  "/healthz",
  "/openapi.json",
  "/readyz",
  "/troubleshooting",
  "/troubleshooting/{code}",
  "/v1/connect",
  "/v1/mesh",
  "/v1/mesh/proof",
  "/v1/task-payloads/{id}/{fence}",
  "/v1/task-results/{id}",
  "/v1/task-results/{id}/{fence}",
  "/v1/webhooks/{name}",
  "/ws",
];
/** Paths without any input, which cannot be invalid. */
const INPUTLESS = [
  "/healthz",
  "/openapi.json",
  "/readyz",
  "/troubleshooting",
  "/troubleshooting/{code}",
  "/v1/mesh",
];

const nameOf = ({ method, path }: Pick<Operation, "method" | "path">): string =>
  `${method} ${path}`;

/** Every nested value. */
function* valuesIn(value: unknown): Generator {
  yield value;
  if (typeof value === "object" && value !== null)
    for (const member of Object.values(value)) yield* valuesIn(member);
}

const at = (root: unknown, pointer: string): unknown =>
  pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], root);

const refsIn = (value: unknown): string[] =>
  [...valuesIn(value)].flatMap((part) => {
    const ref = (part as { $ref?: unknown } | null)?.$ref;
    return typeof ref === "string" ? [ref] : [];
  });

describe("the description", () => {
  it("HT7 is OpenAPI 3.1 in JSON", async () => {
    const reply = await call("GET", "/openapi.json", { token: null });
    expect(reply.headers.get("Content-Type")).toContain("application/json");
    expect(reply.body).toMatchObject({ openapi: "3.1.0", info: { title: "Muster" } });
  });

  it("HT7 contains exactly the registered routes", async () => {
    const routes = createApp()
      .routes.filter(({ method, path }) => method !== "ALL" && !path.startsWith("/dashboard"))
      .map(({ method, path }) => nameOf({ method, path: path.replaceAll(/:(\w+)/g, "{$1}") }));
    const described = (await operations()).map(nameOf);
    expect(described.toSorted()).toEqual([...new Set(routes)].toSorted());
    expect(new Set(described).size).toBe(described.length);
  });

  it("HT7 has no dangling references", async () => {
    const refs = refsIn(await description());
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of refs) expect([ref, at(await description(), ref)]).not.toContain(undefined);
  });

  it("HT7 has a summary of one line for every operation", async () => {
    for (const operation of await operations())
      expect([nameOf(operation), operation.summary]).toEqual([
        nameOf(operation),
        expect.stringMatching(/^[A-Z].{10,}[^.]$/),
      ]);
  });

  it("HT7 lists the failures of every operation, each as a problem document", async () => {
    for (const operation of await operations()) {
      const statuses = Object.keys(operation.responses);
      if (!INPUTLESS.includes(operation.path))
        expect([nameOf(operation), statuses]).toEqual([
          nameOf(operation),
          expect.arrayContaining([expect.stringMatching(/^4/), "500", "503"]),
        ]);
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (!/^[45]/.test(status)) continue;
        expect(content).toEqual({
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
            examples: expect.any(Object),
          },
        });
      }
    }
  });

  it("HT7 lists 413 and 415 for every operation with a body", async () => {
    for (const operation of await operations()) {
      if (operation.requestBody === undefined) continue;
      expect(operation.requestBody).toMatchObject({ required: true });
      const statuses = Object.keys(operation.responses);
      expect(statuses).toContain("413");
      if (operation["x-scope"] !== "signature") expect(statuses).toContain("415");
    }
  });

  it("HT7 states a token on exactly the routes that need one", async () => {
    for (const { path, security, responses } of await operations()) {
      const bearing = security.filter(({ bearer }) => bearer !== undefined);
      expect([path, bearing.length > 0]).toEqual([path, !OPEN.includes(path)]);
      if (security.length > 0) expect(Object.keys(responses)).toContain("401");
    }
  });

  it("HT7 describes every parameter in a path", async () => {
    for (const { path, parameters = [] } of await operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = parameters.filter((parameter) => parameter.in === "path");
      expect(described.map(({ name }) => name)).toEqual(named);
      for (const { required, schema } of described)
        expect([required, typeof (schema["pattern"] ?? schema["format"])]).toEqual([
          true,
          "string",
        ]);
    }
  });

  it("HT7 states the limits that are enforced", async () => {
    const byName = new Map((await operations()).map((operation) => [nameOf(operation), operation]));
    const query = byName.get("GET /v1/peers")?.parameters?.find(({ name }) => name === "limit");
    expect(query).toMatchObject({ schema: { minimum: 1, maximum: 500, default: 100 } });
    const { components } = await description();
    expect(at(components, "#/schemas/TaskRequest")).toMatchObject({
      required: ["kind"],
      properties: {
        priority: { minimum: -100, maximum: 100 },
        kind: { pattern: expect.any(String) },
      },
    });
  });

  it("HT7 is served by a mesh without configuration", async () => {
    const reply = await callWith({ MESH_IDENTITY_KEY: undefined }, "GET", "/openapi.json", {
      token: null,
    });
    expect(reply.status).toBe(200);
  });
});
