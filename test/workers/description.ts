import { exports } from "cloudflare:workers";

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly summary?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly "x-scope"?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, Described>>;
}

export interface MediaType {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>;
}

interface Described {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly headers?: Record<string, unknown>;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Description {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, unknown>>;
}

let fetched: Promise<Description> | null = null;

/** The API's description, fetched once per test file. */
export async function description(): Promise<Description> {
  fetched ??= exports.default
    .fetch("http://mesh.test/openapi.json")
    .then((response) => response.json<Description>());
  return fetched;
}

export async function operations(): Promise<Operation[]> {
  const { paths } = await description();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** The operation that serves a request; null if there is none. HEAD is served by GET. */
export async function operationAt(method: string, path: string): Promise<Operation | null> {
  const bare = path.split("?")[0] ?? "";
  const matching = (await operations()).filter((each) => patternOf(each.path).test(bare));
  // `/v1/tasks/cancel` is not the path of a task.
  const fewest = Math.min(...matching.map((each) => parametersIn(each.path)));
  const found = matching.filter((each) => parametersIn(each.path) === fewest);
  return found.find((each) => each.method === (method === "HEAD" ? "GET" : method)) ?? null;
}

const parametersIn = (template: string): number => template.split("{").length - 1;

const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/[.]/g, "\\.").replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);

/** Values for path parameters: well-formed, but no resource has them. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "/v1/tasks/{id}": "00000000-0000-4000-8000-000000000000",
  "/v1/tasks/{id}/callback": "00000000-0000-4000-8000-000000000000",
  "/v1/tasks/{id}/retry": "00000000-0000-4000-8000-000000000000",
  "/v1/tasks/{id}/result": "00000000-0000-4000-8000-000000000000",
  "/v1/tokens/{id}": "0".repeat(16),
  "/v1/join-keys/{id}": "0".repeat(16),
  name: "nobody",
  public_key: `09${"00".repeat(31)}`,
};

/** A path of this template whose parameters are well-formed. */
export const exampleOf = (template: string): string =>
  template.replaceAll(
    /\{([^}]+)\}/g,
    (_, name: string) => EXAMPLES[template] ?? EXAMPLES[name] ?? "0".repeat(32),
  );
