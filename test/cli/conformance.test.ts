import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GO_P2P_CHECKS } from "../../src/conformance/checks/go-p2p.ts";
import { MUSTER_2_CHECKS } from "../../src/conformance/checks/index.ts";
import { SERVER_CHECKS } from "../../src/conformance/server/index.ts";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { muster } from "./command-run.ts";

describe("muster conformance", () => {
  test.each([
    ["", [], "--cmd is missing"],
    ["an empty command", ["--cmd", " "], "--cmd is missing"],
    ["both subjects", ["--cmd", "x", "--server", "http://127.0.0.1:1"], "exclude each other"],
    ["an unknown check", ["--cmd", "x", "--only", "UP01,ZZ99"], "there is no check ZZ99"],
    ["a selection of nothing", ["--cmd", "x", "--only", "HB04", "--level", "must"], "no check is"],
    ["an unknown level", ["--cmd", "x", "--level", "may"], "--level must be one of must, should"],
    ["an unknown subset", ["--cmd", "x", "--subset", "half"], "--subset must be one of core, full"],
    ["an unknown protocol", ["--cmd", "x", "--protocol", "smtp"], "--protocol must be one of"],
    ["a token for a program", ["--cmd", "x", "--token-file", "t"], "--token-file has no effect"],
    ["go-p2p for a mesh", ["--server", "http://a", "--protocol", "go-p2p/1.0"], "--server checks"],
    ["a URL that is none", ["--server", "mesh"], '"mesh" is not the URL of a mesh'],
    [
      "a token file that is missing",
      ["--server", "http://a", "--token-file", "/no/t"],
      "/no/t does",
    ],
  ])("CF6 %s is a usage error", async (_, argv, text) => {
    const { code, out, err } = await muster("conformance", ...argv);
    expect([code, out]).toEqual([EXIT.usage, ""]);
    expect(err).toContain(text);
  });

  test.each([
    [[], MUSTER_2_CHECKS],
    [["--protocol", "go-p2p/1.0"], GO_P2P_CHECKS],
    [["--server", "http://127.0.0.1:1"], SERVER_CHECKS],
  ] as const)("CF6 %j --list prints the checks and runs none", async (argv, checks) => {
    const { code, out } = await muster("conformance", ...argv, "--list");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => line.slice(0, 4))).toEqual(checks.map(({ id }) => id));
    const json = await muster("conformance", ...argv, "--list", "--json");
    const { checks: listed } = JSON.parse(json.out) as { checks: { id: string }[] };
    expect(listed.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
  });

  test("CF6 a program that does not dial ends the command with 1, and its output is shown", async () => {
    const { code, err } = await muster("conformance", "--cmd", "echo no module named x; exit 3");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("the program ended with exit code 3");
    expect(err).toContain("no module named x");
  });

  test("CF6 a mesh that does not answer ends the command with 3", async () => {
    const { code } = await muster("conformance", "--server", "http://127.0.0.1:1");
    expect(code).toBe(EXIT.unreachable);
  });

  test.each(["unauthorized", "forbidden"])(
    "CF6 a token that the mesh refuses as %s ends the command, and fails no check",
    async (code) => {
      const status = code === "forbidden" ? 403 : 401;
      const server = createServer((_, response) => {
        response.writeHead(status, { "content-type": "application/problem+json" });
        response.end(
          JSON.stringify({ type: "about:blank", title: code, status, code, detail: "" }),
        );
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const ended = await muster("conformance", "--server", url, "--token", "mst_viewer");
      server.close();
      expect(ended.code).toBe(EXIT.refused);
      expect(ended.out).toBe("");
    },
  );

  test("CF6 a report that can't be written is told before the checks run", async () => {
    const peer = join(import.meta.dirname, "../e2e/conformance/small-peer.ts");
    const argv = ["--cmd", `node ${peer}`, "--only", "UP01", "--junit", "/no/such/folder/report"];
    const { code, out, err } = await muster("conformance", ...argv);
    expect([code, out]).toEqual([EXIT.failed, ""]);
    expect(err).toContain("cannot write /no/such/folder/report (ENOENT)");
  });
});
