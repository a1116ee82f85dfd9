/** What becomes of a command whose output is not read to its end, or can't be written. Each test runs the program. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { task } from "../client/fake-api.ts";
import { TASK } from "./every-call.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;

/** A mesh with one task that never ends and makes progress at each question; it refuses all else. */
let server: Server;
let url: string;
beforeAll(async () => {
  let progress = 0;
  server = createServer((request, response) => {
    request.resume();
    const isTask = request.method === "GET" && request.url?.startsWith(`/v1/tasks/${TASK}`);
    progress = (progress + 0.01) % 1;
    const body = isTask
      ? task("running", { id: TASK, progress })
      : { type: "t", title: "t", status: 403, code: "forbidden", detail: "why" };
    response.writeHead(isTask ? 200 : 403, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
});

const start = (argv: readonly string[], stdout: "pipe" | number) =>
  spawn(process.execPath, [MAIN, ...argv], { stdio: ["ignore", stdout, "pipe"] });

const FOLLOW = ["task", TASK, "--follow"];
const at = (argv: readonly string[]): readonly string[] => [...argv, "--url", url];

describe("CL36 if the reader of stdout ends", () => {
  test.each([
    ["a command ends quietly with its own exit code", () => ["help", "--man"], 0, ""],
    ["also if it fails", () => at(["peers"]), 4, "muster: forbidden: why"],
    ["a command that would print for ever ends, too", () => at(FOLLOW), 0, ""],
    ["and one that prints JSON lines", () => at([...FOLLOW, "--json"]), 0, ""],
  ])("%s", async (_, argv, code, said) => {
    const child = start(argv(), "pipe");
    child.stdout?.destroy();
    const [err, [exit]] = await Promise.all([
      text(child.stderr ?? expect.fail()),
      once(child, "exit"),
    ]);
    expect([exit, err.split("\n")[0]]).toEqual([code, said]);
  });
});

describe.skipIf(!existsSync("/dev/full"))("CL36 if stdout takes nothing more", () => {
  test.each([
    ["text", () => ["help"]],
    ["JSON", () => ["help", "--json"]],
    ["a line of a stream", () => at(FOLLOW)],
  ])("a command that prints %s says so in one line and fails", async (_, argv) => {
    const child = start(argv(), openSync("/dev/full", "w"));
    const [err, [exit]] = await Promise.all([
      text(child.stderr ?? expect.fail()),
      once(child, "exit"),
    ]);
    expect(exit).toBe(1);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(err).toContain("cannot write to stdout (ENOSPC)");
  });
});

describe("CL37 a command that a signal stops before it is done", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("ends after %s with exit code %i", async (signal, code) => {
    const child = start(at(FOLLOW), "pipe");
    await once(child.stdout ?? expect.fail(), "data");
    child.kill(signal);
    child.stdout?.resume();
    const [err, [exit]] = await Promise.all([
      text(child.stderr ?? expect.fail()),
      once(child, "exit"),
    ]);
    expect([exit, err]).toEqual([code, `muster: stopped by ${signal}\n`]);
  });
});
