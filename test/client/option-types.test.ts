import { describe, expect, test } from "vitest";
import * as sdk from "../../src/client/index.ts";
import { CONTROLLER_OPTIONS, WAIT_OPTIONS } from "../../src/client/clients/options.ts";
import { OptionsError } from "../../src/client/errors.ts";
import { OPTION_TYPES, type OptionType } from "../../src/client/option-types.ts";
import { PEER_OPTIONS } from "../../src/client/peer/peer-options.ts";
import { RUN_OPTIONS } from "../../src/client/tasks/run-task.ts";
import { waitFor } from "../wait-for.ts";

const url = "https://mesh.example";
const SECRET = "4711-is-a-secret";

const errorOf = async (call: () => unknown): Promise<OptionsError> => {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError);
    return error as OptionsError;
  }
  throw new Error("no error");
};
/** A program in JavaScript gives anything. */
const any = (value: unknown) => value as never;

const controller = sdk.controller({
  url,
  fetch: () => Promise.reject(new Error("no request is expected")),
});
const reader = (options: unknown) => new sdk.DiscoveryReader(any(options));

describe("an entrance without its options", () => {
  const missing: readonly (readonly [string, (options?: unknown) => unknown, readonly string[]])[] =
    [
      ["connectPeer", (o) => sdk.connectPeer(any(o)), ["url"]],
      ["controller", (o) => sdk.controller(any(o)), ["url"]],
      ["DiscoveryReader", reader, ["url", "keys"]],
      ["discover", (o) => sdk.discover(any(o)), ["url", "keys"]],
      ["deliver", (o) => sdk.deliver(null, any(o)), ["url", "source", "secret"]],
      ["verifyCallback", (o) => sdk.verifyCallback({ headers: {}, body: "" }, any(o)), ["secret"]],
    ];
  test.each(missing)(
    "SK20 %s says all that is missing, with an example",
    async (name, call, needs) => {
      const { message } = await errorOf(() => call({}));
      for (const option of needs) expect(message).toContain(`${name} needs \`${option}\``);
      expect(message).toMatch(new RegExp(`; for example (?:new )?${name}\\(`));
    },
  );

  test.each(missing)("SK20 %s takes an object", async (name, call) => {
    for (const [given, type] of [
      [undefined, "undefined"],
      [null, "null"],
      [4, "a number"],
      ["https://mesh.example", "a string"],
    ] as const) {
      const { message } = await errorOf(() => call(given));
      expect(message).toContain(`the options of ${name} are an object, not ${type}`);
      expect(message).toContain("for example");
    }
  });
});

/** Values of every type, by the types that have them. */
const VALUES: readonly unknown[] = [
  null,
  0,
  4_711,
  Number.NaN,
  true,
  SECRET,
  ` ${SECRET} `,
  { secret: SECRET },
  [SECRET],
  [4_711],
  () => SECRET,
  Symbol("s"),
  4_711n,
  new Date(Number.NaN),
];

const TABLES = [
  ["connectPeer", PEER_OPTIONS, (o: object) => sdk.connectPeer(any({ url, ...o }))],
  ["controller", CONTROLLER_OPTIONS, (o: object) => sdk.controller(any({ url, ...o }))],
  ["tasks.wait", WAIT_OPTIONS, (o: object) => controller.tasks.wait("a", any(o))],
  ["run", RUN_OPTIONS, (o: object) => controller.run("a", null, any(o))],
] as const;

describe.each(TABLES)("%s", (method, rules, call) => {
  test.each(Object.entries<unknown>(rules))(
    "SK21 names option `%s` of another type, and not its value",
    async (name, rule) => {
      for (const value of VALUES) {
        const type = typeof rule === "string" ? (rule.replace("!", "") as OptionType) : "object";
        if (OPTION_TYPES[type].has(value)) continue;
        const { message } = await errorOf(() => call({ [name]: value }));
        expect(message).toContain(`\`${name}\` of ${method} is`);
        expect(message).not.toContain(SECRET);
      }
    },
  );
});

test("SK20 everything that is wrong is named at once", async () => {
  const { message } = await errorOf(() =>
    sdk.connectPeer(any({ slots: "4", capabilities: "gpu", privateKey: null, hanlders: {} })),
  );
  expect(message).toContain("no option `hanlders`; did you mean `handlers`?");
  for (const part of ["needs `url`", "`slots`", "a list of strings, not a string", "not null"])
    expect(message).toContain(part);
});

test("SK21 a handler that is no function is named", async () => {
  const { message } = await errorOf(() => sdk.connectPeer(any({ url, handlers: { resize: 1 } })));
  expect(message).toContain("`handlers.resize` of connectPeer is a function, not a number");
});

describe("the URL of a mesh", () => {
  test.each([
    "",
    " ",
    "mesh.example",
    "//mesh.example",
    "ftp://mesh.example",
    "https://",
    "https://a b",
    "https://u:p@mesh.example",
  ])("SK22 %o is refused", async (bad) => {
    for (const call of [sdk.connectPeer, sdk.controller]) {
      const { message } = await errorOf(() => call({ url: bad }));
      expect(message).toMatch(/URL/);
    }
  });

  const SAME = [
    "https://mesh.example",
    "https://mesh.example/",
    "HTTPS://MESH.example",
    " https://mesh.example ",
    "wss://mesh.example",
    "https://mesh.example?a#b",
    new URL("https://mesh.example"),
  ];
  test.each(SAME)("SK22 %o is that mesh, over HTTP and for a session", async (same) => {
    const asked: string[] = [];
    const fetch = (address: string): Promise<Response> => {
      asked.push(address);
      return Promise.reject(new TypeError("no network"));
    };
    const mesh = sdk.controller({ url: same, fetch, outageMs: 0 });
    await expect(mesh.tasks.cancel("a")).rejects.toThrow("does not answer");
    const meshKey = sdk.generateIdentity().publicKey;
    const dialed: string[] = [];
    const openSocket = (address: string): never => {
      dialed.push(address);
      throw new Error("no network");
    };
    const peer = sdk.connectPeer({ url: same, meshKey, platform: { openSocket, fetch } });
    await waitFor(() => expect(dialed.length).toBeGreaterThan(0));
    await peer.close();
    expect(asked[0]).toBe("https://mesh.example/v1/tasks/a");
    expect(dialed[0]).toMatch(/^wss:\/\/mesh\.example\/v1\/connect/);
  });
});
