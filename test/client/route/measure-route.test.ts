import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { measureRoute } from "../../../src/client/route/measure-route.ts";
import { routeCommands, routeHost } from "../../../src/client/route/route-commands.ts";
import { waitFor } from "../../wait-for.ts";

describe("the host of a mesh as an argument", () => {
  test.for([
    ["https://mesh.example", "mesh.example"],
    ["wss://MESH.example:8443/path", "mesh.example"],
    ["http://127.0.0.1:8787", "127.0.0.1"],
    ["https://[2001:db8::1]:8787", "2001:db8::1"],
    ["http://localhost", "localhost"],
    ["https://a_b.example.", "a_b.example."],
  ] as const)("SC18 of %s is %s", ([url, host]) => {
    expect(routeHost(url)).toBe(host);
  });

  test.for(["http://-n.example", "http://--help", "http://$(id).example", "http://a;b.example"])(
    "SC18 of %s is refused",
    (url) => {
      expect(routeHost(url)).toBeNull();
    },
  );

  test("SC18 is the last argument of each program, and IPv6 has a traceroute of its own", () => {
    for (const host of ["mesh.example", "2001:db8::1"])
      for (const { args } of routeCommands(host)) expect(args.at(-1)).toBe(host);
    const files = (host: string) => routeCommands(host).map(({ file }) => file);
    expect(files("mesh.example")).toEqual(["traceroute", "tracepath", "mtr"]);
    expect(files("2001:db8::1")).toEqual(["traceroute", "traceroute6", "tracepath", "mtr"]);
  });
});

describe("a measurement", () => {
  const { PATH } = process.env;
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "muster-route-"));
    process.env["PATH"] = `${folder}:/usr/bin:/bin`;
  });
  afterEach(async () => {
    process.env["PATH"] = PATH;
    await rm(folder, { recursive: true });
  });

  async function program(name: string, script: string): Promise<void> {
    const file = join(folder, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  const fails = () =>
    Promise.all(["traceroute", "tracepath", "mtr"].map((n) => program(n, "exit 1")));
  const measure = () => measureRoute("mesh.example", new AbortController().signal);

  test("SC18 takes the first program that reaches the host, and passes the host as one argument", async () => {
    await fails();
    await program(
      "tracepath",
      `for last; do :; done
[ "$last" = mesh.example ] && echo ' 4:  203.0.113.9   12.302ms reached'`,
    );
    expect(await measure()).toEqual({ hops: 4, tool: "tracepath" });
    await program(
      "traceroute",
      `echo 'traceroute to mesh.example (203.0.113.9), 30 hops max' >&2
echo ' 1  203.0.113.9  1.1 ms'`,
    );
    expect(await measure()).toEqual({ hops: 1, tool: "traceroute" });
  });

  test("SC18 gives nothing if every program fails", async () => {
    await fails();
    expect(await measure()).toBeNull();
  });

  test("SC18 gives nothing if the output of every program is too long", async () => {
    await fails();
    await program("mtr", "while :; do echo '  1.|-- 203.0.113.9   0.0%     2'; done");
    expect(await measure()).toBeNull();
  });

  test("SC18 gives nothing to the programs but PATH and LC_ALL", async () => {
    await fails();
    process.env["MUSTER_TEST_SECRET"] = "secret";
    await program(
      "mtr",
      `[ -z "$MUSTER_TEST_SECRET" ] && [ "$LC_ALL" = C ] && echo '  2.|-- 203.0.113.9   0.0%     2'`,
    );
    expect(await measure()).toEqual({ hops: 2, tool: "mtr" });
    delete process.env["MUSTER_TEST_SECRET"];
  });

  test("SC18 ends with its signal, and the program with it", async () => {
    await fails();
    const started = join(folder, "started");
    await program(
      "traceroute",
      `echo $$ > ${started}.new; mv ${started}.new ${started}; exec sleep 600`,
    );
    const controller = new AbortController();
    const measured = measureRoute("mesh.example", controller.signal);
    const pid = Number(await contents(started));
    controller.abort();
    expect(await measured).toBeNull();
    await waitFor(() => expect(isRunning(pid)).toBe(false));
  });
});

async function contents(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  let text = "";
  await waitFor(async () => {
    text = await readFile(file, "utf8").catch(() => "");
    expect(text).not.toBe("");
  });
  return text;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
