import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import * as sdk from "../../src/client/index.ts";
import { CONTROLLER_OPTIONS } from "../../src/client/clients/options.ts";
import { OWNER_LIMIT_OPTIONS } from "../../src/client/clients/owner-limits.ts";
import { TASK_FILTER } from "../../src/client/clients/task-options.ts";
import { OptionsError } from "../../src/client/errors.ts";
import { PEER_OPTIONS } from "../../src/client/peer/peer-options.ts";
import { RUN_OPTIONS } from "../../src/client/tasks/run-task.ts";
import { IdempotencyKey } from "../../src/protocol/ids.ts";
import {
  CLASSES,
  FUNCTIONS,
  mesh,
  peer,
  PEER,
  PEER_TASKS,
  READER,
  requests,
  SUB_CLIENTS,
} from "./entrances.ts";

afterAll(() => peer.close());

/** Every call with options, by the name of the method. */
const ENTRANCES = Object.entries({
  ...SUB_CLIENTS,
  DiscoveryReader: READER,
  peer: PEER,
  "peer.tasks": PEER_TASKS,
  sdk: FUNCTIONS,
  class: CLASSES,
}).flatMap(([client, methods]) =>
  Object.entries(methods).flatMap(([method, calls]) =>
    Array.isArray(calls)
      ? calls.map((call: (options: object) => unknown) => [`${client}.${method}`, call] as const)
      : [],
  ),
);

/** Names of options that some methods have. */
const NAMES = [
  CONTROLLER_OPTIONS,
  PEER_OPTIONS,
  RUN_OPTIONS,
  OWNER_LIMIT_OPTIONS,
  TASK_FILTER,
].flatMap((names) => Object.keys(names));

/** What the call throws, or its promise rejects with. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("no error");
}

const snakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

test.each(ENTRANCES)(
  "HT38 %s refuses an option that does not exist, before any request",
  async (_, call) => {
    requests.count = 0;
    const unknown = fc
      .oneof(
        fc.constantFrom(...NAMES).chain((name) => fc.constantFrom(snakeCase(name), `${name}s`)),
        fc.string(),
        fc.constantFrom("__proto__", "constructor", "toString", "requirements"),
      )
      // Names that exist somewhere: `roles` is the plural of `role`, and `url` is `url` in snake case.
      .filter((name) => !NAMES.includes(name) && !/^(?:\w{1,4}|roles|kinds|keys)$/.test(name));
    await fc.assert(
      fc.asyncProperty(unknown, async (name) => {
        const error = await errorOf(() => call(Object.fromEntries([[name, 1]])));
        // A spread drops nothing, so that `__proto__` is an option, too.
        expect(error).toBeInstanceOf(OptionsError);
        expect((error as Error).message.replace("`rate.", "`")).toContain(`\`${name}\``);
      }),
      { numRuns: 40 },
    );
    expect(requests.count).toBe(0);
  },
);

/** The methods of an object that its class defines. */
const methodsOf = (object: object): string[] =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter(
    (name) => name !== "constructor" && typeof Reflect.get(object, name) === "function",
  );

test.each(["follow", "intervalMs", "patienceMs"])(
  "HT38 `%s`, which has an effect on changes only, is refused by a search that does not follow",
  async (name) => {
    const error = await errorOf(() => mesh.discovery.peers(Object.fromEntries([[name, 1]])));
    expect(error).toMatchObject({ message: `discovery.peers has no option \`${name}\`` });
  },
);

describe("the list of the SDK's entrances has", () => {
  test("HT39 every method of every sub-client", () => {
    const walked = Object.entries(mesh)
      .filter(([, client]) => typeof client === "object")
      .map(([name, client]) => [name, methodsOf(client as object).toSorted()]);
    const listed = Object.entries(SUB_CLIENTS).map(([name, methods]) => [
      name,
      Object.keys(methods).toSorted(),
    ]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(walked));
    // `run` is short for `tasks.run`; `events` is tested with its options; `alerts` and `cells` have none.
    expect(methodsOf(mesh).toSorted()).toEqual(["alerts", "cells", "events", "run"]);
  });

  test("HT39 every method of a reader of discovery", () => {
    expect(methodsOf(mesh.discovery.withReplicas()).toSorted()).toEqual(
      Object.keys(READER).toSorted(),
    );
  });

  test("HT39 every function that the package exports", () => {
    const functions = Object.entries(sdk)
      .filter(([, value]) => typeof value === "function" && !/^class\b/.test(String(value)))
      .map(([name]) => name);
    expect(functions.toSorted()).toEqual(Object.keys(FUNCTIONS).toSorted());
  });
});

test.each([
  [{ peer_id: "x" }, "tasks.submit has no option `peer_id`; did you mean `peerId`?"],
  [
    { callback: { uri: "x" } },
    "tasks.submit has no option `callback.uri`; did you mean `callback.url`?",
  ],
  [
    { concurrency: { key: "a", limits: 1 } },
    "tasks.submit has no option `concurrency.limits`; did you mean `concurrency.limit`?",
  ],
  [{ frobnicate: 1 }, "tasks.submit has no option `frobnicate`"],
])("HT38 %j: %s", async (options, message) => {
  expect(await errorOf(() => mesh.tasks.submit("a", null, options as object))).toMatchObject({
    message,
  });
});

describe("an idempotency key", () => {
  const root = new URL("../..", import.meta.url).pathname;
  const text = ["README.md", ...globSync("docs/*.md", { cwd: root })]
    .map((page) => readFileSync(join(root, page), "utf8"))
    .join("\n");
  const examples = [
    ...text.matchAll(/idempotency-?key(?::|=| )\s*"([^"\n]*)"/gi),
    ...text.matchAll(/Idempotency-Key: ([^"'`\n]+)/g),
  ].map(([, key = ""]) => key);

  test("HT37 of every example in the documentation is accepted", () => {
    expect(examples).toContain("order 17");
    for (const example of examples)
      expect([example, IdempotencyKey.safeParse(example).success]).toEqual([example, true]);
  });

  test.each(["", " ", "a\nb", "\u017eeton", "a".repeat(256)])(
    "HT37 %j is refused by the SDK before any request, with the rule",
    async (idempotencyKey) => {
      requests.count = 0;
      for (const [name, call] of ENTRANCES.filter(([each]) => /submit|\.run/.test(each))) {
        const error = await errorOf(() => call({ idempotencyKey }));
        expect([name, error]).toEqual([name, expect.any(OptionsError)]);
        expect((error as Error).message).toContain("1 to 255 printable ASCII characters");
      }
      const error = await errorOf(() => mesh.webhooks.replay("a", "b", { idempotencyKey }));
      expect(error).toBeInstanceOf(OptionsError);
      expect(requests.count).toBe(0);
    },
  );

  test("HT37 white space around it does not count", () => {
    expect(IdempotencyKey.parse(" order 17\t")).toBe("order 17");
    expect(IdempotencyKey.parse("~".repeat(255))).toHaveLength(255);
  });
});
