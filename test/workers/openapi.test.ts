import { describe, expect, it } from "vitest";
import { createApp } from "../../workers/app.ts";
import { description, operations, type Operation } from "./description.ts";
import { call, callWith } from "./http.ts";

/** What needs no token (HT1, which has its own test that this is so). */
const OPEN = [
  "/healthz",
  "/openapi.json",
  "/v1/connect",
  "/v1/mesh",
  "/v1/task-results/{id}",
  "/v1/task-results/{id}/{fence}",
  "/v1/webhooks/{name}",
  "/ws",
];
/** What takes nothing of its caller, so that nothing can be wrong with it. */
const INPUTLESS = ["/healthz", "/openapi.json", "/v1/mesh"];

const nameOf = ({ method, path }: Pick<Operation, "method" | "path">): string =>
  `${method} ${path}`;

/** Every value in it, however deep. */
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

  it("HT7 has every route that is registered, and no other", async () => {
    const routes = createApp()
      .routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => nameOf({ method, path: path.replaceAll(/:(\w+)/g, "{$1}") }));
    const described = (await operations()).map(nameOf);
    expect(described.toSorted()).toEqual([...new Set(routes)].toSorted());
    expect(new Set(described).size).toBe(described.length);
  });

  it("HT7 refers to nothing that it does not hold", async () => {
    const refs = refsIn(await description());
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of refs) expect([ref, at(await description(), ref)]).not.toContain(undefined);
  });

  it("HT7 says of every operation in a line what it is for", async () => {
    for (const operation of await operations())
      expect([nameOf(operation), operation.summary]).toEqual([
        nameOf(operation),
        expect.stringMatching(/^[A-Z].{10,}[^.]$/),
      ]);
  });

  it("HT7 says of every operation how it fails, always by a problem document", async () => {
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
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        });
      }
    }
  });

  it("HT7 says of what takes a body that it may be too large, or no JSON", async () => {
    for (const operation of await operations()) {
      if (operation.requestBody === undefined) continue;
      expect(operation.requestBody).toMatchObject({ required: true });
      const statuses = Object.keys(operation.responses);
      expect(statuses).toContain("413");
      if (operation.security !== undefined) expect(statuses).toContain("415");
    }
  });

  it("HT7 asks for the token on all routes that need it, and on no others", async () => {
    for (const { path, security, responses } of await operations()) {
      if (OPEN.includes(path)) {
        expect([path, security]).toEqual([path, undefined]);
        continue;
      }
      expect([path, security]).toEqual([
        path,
        expect.arrayContaining([{ bearer: expect.anything() }]),
      ]);
      expect(Object.keys(responses)).toContain("401");
    }
    expect((await description()).components).toMatchObject({
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    });
  });

  it("HT7 has every parameter that stands in a path", async () => {
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

  it("HT7 tells the bounds that are checked", async () => {
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

  it("HT7 is served by a mesh that is not configured yet", async () => {
    const reply = await callWith({ MESH_IDENTITY_KEY: undefined }, "GET", "/openapi.json", {
      token: null,
    });
    expect(reply.status).toBe(200);
  });
});
