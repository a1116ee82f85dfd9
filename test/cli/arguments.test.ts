import { describe, expect, test } from "vitest";
import { readArgs } from "../../src/cli/args.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { freePort } from "../../src/cli/ports.ts";

/** The error of a command. Nothing answers at the URL, so no command gets further than its arguments. */
async function faultOf(...[name = "", ...args]: readonly string[]): Promise<string> {
  const url = ["--url", "http://127.0.0.1:1"];
  try {
    await COMMANDS[name]?.run([...args, ...url]);
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

describe("the arguments of commands", () => {
  test.each([
    ["token create", "SCOPE is missing"],
    ["token set", "ID is missing"],
    ["token revoke", "ID is missing"],
    ["token list x", 'unexpected argument "x"'],
    ["token grant x", 'unknown action "grant"'],
    ["token create king", 'SCOPE must be one of admin, controller, viewer, metrics, not "king"'],
    ["join-key revoke", "ID is missing"],
    ["join-key create x", 'unexpected argument "x"'],
    ["join-key make", 'unknown action "make"'],
    ["denylist lift", "PEER_ID or PUBLIC_KEY is missing"],
    ["denylist list x", 'unexpected argument "x"'],
    ["denylist show", 'unknown action "show"'],
    ["denylist lift x --reason revoked", "--reason is an option of list"],
    ["token list --days 3", "--days is an option of create"],
    ["token revoke x --label y", "--label is an option of create and list"],
    ["token list --lable y", "unknown option --lable, did you mean --label?"],
    ["assign a --max-attempts 3", "unknown option --max-attempts, did you mean --attempts?"],
    ["token create viewer --in-days 3", "unknown option --in-days, did you mean --days?"],
    ["tasks list --limit 0", '--limit must be at least 1, not "0"'],
    ["audit --last 0", '--last must be at least 1, not "0"'],
    ["token lsit", 'unknown action "lsit"'],
    ["callback repeat x --owner admin", "--owner is an option of secret, rotate and end-previous"],
    ["dial list --name x", "--name is an option of dial URL"],
    ["mesh --pause 3", "--pause is an option of drain"],
    ["mesh foo", 'unknown action "foo"'],
    ["peers cordon x --timeout 3", "--timeout is an option of drain and request"],
    ["webhook test", "NAME is missing"],
    ["webhook deliveries", "NAME is missing"],
    ["webhook deliveries a b", 'unexpected argument "b"'],
    ["webhook replay a", "DELIVERY is missing"],
    ["webhook show", "NAME is missing"],
    ["webhook grant", 'unknown action "grant"'],
    ["webhook delete a b", 'unexpected argument "b"'],
    ["webhook update a", "nothing to change"],
    ["webhook create CI", '"CI" is not a name of a source'],
    ["webhook create ci", "--scheme is missing: how the sender signs its deliveries"],
    [
      "webhook create ci --scheme github",
      "--kind is missing: the kind of the tasks that events become",
    ],
    ["webhook create ci --scheme slack --kind a", "the sender's secret is missing"],
    ["webhook update ci --kind a --out x", "--out is for a secret that is made"],
    ["webhook listen ci --kind a", "--kind is an option of create and update"],
    ["allowlist show", 'unknown action "show"'],
    ["dial remove", "ID is missing"],
    ["dial list x", 'unexpected argument "x"'],
    ["dial foo", '"foo" is not the URL of a node, such as wss://HOST:9091/ws'],
    ["dial wss://a/ws b", 'unexpected argument "b"'],
  ])("`muster %s`: %s", async (words, fault) => {
    expect(await faultOf(...words.split(" "))).toBe(fault);
  });

  const OPTIONS = { n: { type: "string" }, flag: { type: "boolean" } } as const;

  test.each([
    [["--foo"], "unknown option --foo"],
    [["--flg"], "unknown option --flg, did you mean --flag\\?"],
    [["-x"], "unknown option -x"],
    [["--flag=1"], "--flag takes no value"],
    [["--n"], "--n needs a value"],
    [["--n", "--flag"], "--n needs a value"],
    [["--n", "-x"], "--n needs a value"],
    [["--n", "1", "--n=2"], "--n is given twice"],
    [["-flag"], "unknown option -flag, did you mean --flag\\?"],
    [["--__proto__=1"], "unknown option --__proto__"],
    [["one"], 'unexpected argument "one"'],
    [["--", "--flag"], 'unexpected argument "--flag"'],
  ])("%j is refused in one sentence: %s", (argv, fault) => {
    const read = () => readArgs(argv, OPTIONS, { arguments: [], usage: "x" });
    expect(read).toThrow(new RegExp(`^${fault}$`));
  });
});

describe("the address of `muster start`", () => {
  test.each(["203.0.113.4", "host.invalid"])(
    "an address that this machine does not have is no unexpected error: %s",
    async (host) => {
      await expect(freePort(host)).rejects.toMatchObject({
        name: "Failure",
        message: expect.stringContaining(`${host} is not an address of this machine`) as string,
      });
    },
  );
});
