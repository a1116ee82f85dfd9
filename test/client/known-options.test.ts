import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectPeer, controller } from "../../src/client/index.ts";
import { CONTROLLER_OPTIONS } from "../../src/client/clients/options.ts";
import { OptionsError } from "../../src/client/errors.ts";
import { PEER_OPTIONS } from "../../src/client/peer/peer-options.ts";
import { SessionTasks } from "../../src/client/peer/session-tasks.ts";
import { RUN_OPTIONS } from "../../src/client/tasks/run-task.ts";
import { SUBMIT_OPTIONS } from "../../src/client/tasks/submission.ts";
import { IdempotencyKey } from "../../src/protocol/ids.ts";

let requests = 0;
const fetch = (): Promise<Response> => {
  requests++;
  return Promise.reject(new Error("no request is expected"));
};
const url = "https://mesh.example";
const mesh = controller({ url, fetch });
const session = new SessionTasks(url, fetch);

/** The entrances of the SDK that take these options, and the names of the options. */
const ENTRANCES: Readonly<
  Record<string, readonly [names: object, call: (options: object) => unknown]>
> = {
  controller: [CONTROLLER_OPTIONS, (options) => controller({ url, ...options })],
  connectPeer: [PEER_OPTIONS, (options) => connectPeer({ url, ...options })],
  "tasks.submit": [SUBMIT_OPTIONS, (options) => mesh.tasks.submit("a", null, options)],
  "tasks.submitBatch": [{ idempotencyKey: true }, (options) => mesh.tasks.submitBatch([], options)],
  "tasks.run": [RUN_OPTIONS, (options) => mesh.tasks.run("a", null, options)],
  "MeshClient.run": [RUN_OPTIONS, (options) => mesh.run("a", null, options)],
  "peer.tasks.submit": [SUBMIT_OPTIONS, (options) => session.submit("a", null, options)],
  "peer.tasks.run": [RUN_OPTIONS, (options) => session.run("a", null, options)],
};

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

describe.each(Object.entries(ENTRANCES))("the options of %s", (_, [names, call]) => {
  test("HT38 an option that does not exist is an OptionsError, before any request", async () => {
    requests = 0;
    const known = Object.keys(names);
    const unknown = fc
      .oneof(
        fc.constantFrom(...known).chain((name) => fc.constantFrom(snakeCase(name), `${name}s`)),
        fc.string(),
        fc.constantFrom("__proto__", "constructor", "toString", "requirements"),
      )
      .filter((name) => !known.includes(name));
    await fc.assert(
      fc.asyncProperty(unknown, async (name) => {
        const error = await errorOf(() => call(Object.fromEntries([[name, 1]])));
        // A spread drops nothing, so that `__proto__` is an option, too.
        expect(error).toBeInstanceOf(OptionsError);
        expect((error as Error).message).toContain(`\`${name}\``);
      }),
      { numRuns: 40 },
    );
    expect(requests).toBe(0);
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
      requests = 0;
      for (const name of Object.keys(ENTRANCES).filter((each) => /submit|run/.test(each))) {
        const error = await errorOf(() => ENTRANCES[name]?.[1]({ idempotencyKey }));
        expect([name, error]).toEqual([name, expect.any(OptionsError)]);
        expect((error as Error).message).toContain("1 to 255 printable ASCII characters");
      }
      const error = await errorOf(() => mesh.webhooks.replay("a", "b", { idempotencyKey }));
      expect(error).toBeInstanceOf(OptionsError);
      expect(requests).toBe(0);
    },
  );

  test("HT37 white space around it does not count", () => {
    expect(IdempotencyKey.parse(" order 17\t")).toBe("order 17");
    expect(IdempotencyKey.parse("~".repeat(255))).toHaveLength(255);
  });
});
