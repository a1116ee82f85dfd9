import { describe, expect, test } from "vitest";
import { handlerOptions, runsTasks } from "../../../src/cli/join/handler-options.ts";
import { connectPeer } from "../../../src/client/index.ts";
import { wire } from "../../wire.ts";

type Options = Parameters<typeof handlerOptions>[0];

async function runs(options: Options, kind: string): Promise<unknown> {
  const handler = handlerOptions(options).handlers?.[kind];
  const result: unknown = await handler?.(null, {
    taskId: "t",
    kind,
    payloadText: "null",
    attempt: 1,
    fence: 1,
    signal: new AbortController().signal,
    progress: () => {},
  });
  return wire(result as never);
}

describe("CL55 what runs a task", () => {
  test("is the command of its kind, else that of --exec", async () => {
    const options = { exec: "echo rest", handler: ["a=echo first", "b=X=1 sh -c 'echo $X'"] };
    expect(await runs(options, "a")).toBe("first\n");
    expect(await runs(options, "b")).toBe(1);
    expect(await runs(options, "*")).toBe("rest\n");
  });

  test("may have an = in its command", async () => {
    expect(await runs({ handler: ["b=echo '\"b=c\"'"] }, "b")).toBe("b=c");
  });

  test.each([
    [{ handler: ["resize"] }, '--handler must be KIND=COMMAND, not "resize"'],
    [{ handler: ["resize="] }, '--handler must be KIND=COMMAND, not "resize="'],
    [{ handler: ["=cat"] }, '--handler: "" is not a kind'],
    [{ handler: ["*=cat"] }, '--handler: "*" is not a kind'],
    [{ handler: ["a b=cat"] }, '--handler: "a b" is not a kind'],
    [{ handler: ["a=cat", "a=tac"] }, "--handler has two commands for a"],
    [{ kind: ["a"] }, "--kind needs --exec, --handler or --module"],
    [{ exec: "cat", kind: ["a b"] }, '--kind: "a b" is not a kind'],
    [{ handler: ["a=cat"], kind: ["a", "b"] }, "nothing runs tasks of the kind b"],
    [{ exec: "cat", memory: "64" }, "--memory needs --module"],
    [{ module: "a.js", memory: "16" }, "--memory must be at least 32 (megabytes), not 16"],
    [{ module: "a.js", memory: "1.5" }, '--memory must be a whole number, not "1.5"'],
    [{ module: "a.js", "kill-after": "5" }, "--kill-after needs --exec or --handler"],
    [{ exec: "cat", "kill-after": "-1" }, "--kill-after must be 0 to 3600, not -1"],
  ] as const)("%j is refused", (options, message) => {
    const thrown = (() => {
      try {
        return handlerOptions(options);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toMatchObject({ name: "UsageError", exitCode: 2, message });
  });

  test("is nothing without the options", () => {
    expect(runsTasks({})).toBe(false);
    for (const options of [{ exec: "cat" }, { handler: ["a=cat"] }, { module: "a.js" }])
      expect(runsTasks(options)).toBe(true);
  });

  test("the SDK refuses kinds that have no handler, before it connects", () => {
    expect(() =>
      connectPeer({ url: "http://127.0.0.1:1", handlers: { a: () => 1 }, kinds: ["b"] }),
    ).toThrow("kinds: there is no handler for b, only for a");
  });
});
