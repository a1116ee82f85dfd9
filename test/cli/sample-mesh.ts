/** A mesh that answers every request with a sample of what its description says, or with an error. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../../workers/app.ts";
import { TASK } from "./every-call.ts";

type Schema = Readonly<Record<string, unknown>>;

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

let description: Promise<Description> | null = null;
const described = (): Promise<Description> => (description ??= readDescription());

async function readDescription(): Promise<Description> {
  const response = await createApp().request("/openapi.json", {}, {});
  return response.json<Description>();
}

/** Texts of every form that the API has: the first that a pattern accepts is the sample. */
const TEXTS = [
  "a",
  "",
  "0".repeat(16),
  "0".repeat(32),
  "12".repeat(32),
  TASK,
  "worker",
  "2030-01-01T00:00:00.000Z",
  "https://one.example/",
  "muster://one.example/#00",
  `mst_${"0".repeat(64)}`,
  `mjk_${"0".repeat(64)}`,
];

/** Fields of which an object has one: the first. */
const ALTERNATIVES = [
  ["path", "header"],
  ["equals", "one_of", "matches"],
  ["path", "bucket_seconds"],
];
const isLeftOut = (key: string, properties: object): boolean =>
  ALTERNATIVES.some(
    (group) =>
      group.slice(0, group.indexOf(key)).some((each) => each in properties) && group.includes(key),
  );

function sampleOf(schema: Schema, components: Description["components"], name = ""): unknown {
  const again = (inner: Schema, inside = name) => sampleOf(inner, components, inside);
  if (name === "next_cursor") return null;
  if (typeof schema["$ref"] === "string")
    return again(components.schemas[schema["$ref"].split("/").at(-1) ?? ""] ?? {});
  if ("example" in schema) return schema["example"];
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"]))
    return schema["enum"].includes("succeeded") ? "succeeded" : schema["enum"][0];
  for (const key of ["anyOf", "oneOf"])
    if (Array.isArray(schema[key])) return again(schema[key][0] as Schema);
  if (Array.isArray(schema["allOf"]))
    return Object.assign({}, ...schema["allOf"].map((each: Schema) => again(each))) as object;
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (type) {
    case "object": {
      const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
      return Object.fromEntries(
        Object.entries(properties)
          .filter(([key]) => !isLeftOut(key, properties))
          .map(([key, inner]) => [key, again(inner, key)]),
      );
    }
    case "array":
      return [again((schema["items"] ?? {}) as Schema)];
    case "string":
      return textOf(schema, name);
    case "number":
    case "integer":
      return Math.max(Number(schema["minimum"] ?? 1), 1);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return 1;
  }
}

function textOf({ pattern, format, minLength = 0 }: Schema, name: string): string {
  if (name === "id" && format === undefined && pattern === undefined) return TASK;
  if (format === "date-time") return "2030-01-01T00:00:00.000Z";
  if (format === "uuid") return TASK;
  if (format === "uri") return "https://one.example/";
  const form = new RegExp(typeof pattern === "string" ? pattern : "", "u");
  return TEXTS.find((text) => form.test(text) && text.length >= Number(minLength)) ?? "a";
}

export interface SampleMesh {
  readonly url: string;
  readonly server: Server;
  /** `GET /v1/peers/{id}`. */
  readonly routes: readonly string[];
  /** The routes that were called and answered. */
  readonly called: ReadonlySet<string>;
}

/** What the mesh answers with instead of samples. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
}

export async function startSampleMesh(
  refusal: (method: string, path: string) => Refusal | null,
): Promise<SampleMesh> {
  const { paths, components } = await described();
  const called = new Set<string>();
  const server = createServer((request, response) => {
    request.resume();
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const refused = refusal(request.method ?? "", path);
    if (refused !== null) {
      const { status, code } = refused;
      const problem = { type: `/troubleshooting/${code}`, title: "t", status, code, detail: "why" };
      response.writeHead(status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify(problem));
      return;
    }
    const method = (request.method ?? "").toLowerCase();
    const [route = "", methods] =
      Object.entries(paths)
        .filter(([each, known]) => patternOf(each).test(path) && method in known)
        .toSorted(([a], [b]) => a.split("{").length - b.split("{").length)[0] ?? [];
    const operation = methods?.[method];
    called.add(`${method.toUpperCase()} ${route}`);
    const [status = "404", answer] =
      Object.entries(operation?.responses ?? {}).find(([code]) => code.startsWith("2")) ?? [];
    const schema = answer?.content?.["application/json"]?.schema;
    if (answer?.content?.["text/plain"] !== undefined) {
      response.writeHead(200, { "content-type": "text/plain" }).end("# TYPE sample gauge\n");
      return;
    }
    response.writeHead(Number(status), { "content-type": "application/json" });
    response.end(schema === undefined ? undefined : JSON.stringify(sampleOf(schema, components)));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server, routes, called };
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);
