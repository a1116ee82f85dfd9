import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { STANDARD_SOURCE } from "./signed-deliveries.ts";
import { call } from "./http.ts";

afterEach(async () => {
  await reset();
});

/** A constant, because the runtime does not provide the machine's environment variables. */
const RUNS = 200;

const Member = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "kind", "task", "mode", "payload"),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const Leaf = fc.oneof(
  fc.constantFrom(null, true, "", "$", "$$", "$.a", "open", "__proto__", -0, 1e308, 2 ** 53),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.string({ unit: "binary" }),
);

/** Any JSON, often with member names that the API uses. */
const { value: Any } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 6, withCrossShrink: true },
    Leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(Member, tie("value")), { maxLength: 5 }).map(membersOf),
  ),
}));

/** Defines members instead of assigning them, so that `__proto__` is a member. */
function membersOf(members: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(members);
}

/** A valid object in which one to three members are replaced by any JSON. */
const nearly = (right: object): fc.Arbitrary<object> =>
  fc
    .array(fc.tuple(fc.constantFrom(...Object.keys(right), "__proto__"), Any), {
      minLength: 1,
      maxLength: 3,
    })
    .map((wrong) => membersOf([...Object.entries(right), ...wrong]));

const TASK = {
  kind: "test",
  payload: null,
  requirements: {},
  priority: 0,
  deadline_seconds: 60,
  max_attempts: 1,
  lease_seconds: 1,
};

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false; // the usual case
  }
}

/** The codes that the mesh may answer with to any JSON. */
async function expectJudged(method: string, path: string, json: unknown): Promise<void> {
  // `call` checks each answer: its status is described, and a problem contains no stack.
  const { status } = await call(method, path, { json });
  expect([200, 201, 202, 400, 413]).toContain(status);
}

describe.each([
  ["POST", "/v1/tasks", TASK],
  ["PUT", "/v1/webhook-sources/x", STANDARD_SOURCE],
  ["PUT", "/v1/auth-mode", { mode: "open" }],
  ["POST", "/v1/join-keys", { label: "", roles: ["worker"], uses: 1, expires_seconds: 60 }],
  ["POST", "/v1/tokens", { label: "", scope: "viewer" }],
  ["PUT", `/v1/allowlist/09${"00".repeat(31)}`, { label: "", roles: ["worker"], readmit: false }],
] as const)("%s %s", (method, path, right) => {
  it("HT3 accepts or refuses any JSON, and never fails with a defect", async () => {
    await fc.assert(
      fc.asyncProperty(Any, (json) => expectJudged(method, path, json)),
      { numRuns: RUNS },
    );
  });

  it("HT3 accepts or refuses nearly valid requests, and never fails with a defect", async () => {
    await fc.assert(
      fc.asyncProperty(nearly(right), (json) => expectJudged(method, path, json)),
      { numRuns: RUNS },
    );
  });

  it("HT4 refuses any text that is not JSON, and any bytes, and never fails with a defect", async () => {
    const headers = { "Content-Type": "application/json" };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        fc.pre(!isJson(bytes));
        const { status } = await call(method, path, { raw: Uint8Array.from(bytes), headers });
        expect(status).toBe(400);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("lists and paths", () => {
  it("HT3 accept or refuse any query, and never fail with a defect", async () => {
    const names = [
      "limit",
      "cursor",
      "state",
      "kind",
      "role",
      "wait",
      "act",
      "subject",
      "__proto__",
    ];
    const Query = fc.array(
      fc.tuple(
        fc.constantFrom(...names),
        fc.oneof(fc.string({ unit: "binary" }), fc.integer().map(String)),
      ),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(
        Query,
        fc.constantFrom("tasks", "peers", "pointers", "audit"),
        async (query, list) => {
          const text = query.map(
            ([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`,
          );
          const { status } = await call("GET", `/v1/${list}?${text.join("&")}`);
          expect([200, 400]).toContain(status);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("HT3 accept or refuse any path below them, and never fail with a defect", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", minLength: 1 }),
        fc.constantFrom(
          "tasks",
          "peers",
          "pointers",
          "blobs",
          "webhook-sources",
          "webhooks",
          "allowlist",
        ),
        async (text, route) => {
          const { status } = await call(
            "GET",
            `/v1/${route}/${encodeURIComponent(text.toWellFormed())}`,
          );
          expect([400, 404, 405]).toContain(status);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
