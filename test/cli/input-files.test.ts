import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { describeError } from "../../src/cli/failure.ts";
import { TASKS_FILE } from "./every-call.ts";

const TASK = "00000000-0000-4000-8000-000000000001";
const PEER = "0".repeat(32);

/** Nothing answers there: a request would fail with 1. */
const MESH = ["--url", "http://127.0.0.1:1"];
const webhook = (action: string) => ["webhook", action, "ci", ...MESH];
const CREATE = [...webhook("create"), "--scheme", "github"];

/**
 * What names a file in a command, by the command and the option (`FILE` for an argument): the command line without that file, and
 * whether the file can be unusable although it can be read.
 */
const FILES: Readonly<
  Record<string, { readonly call: readonly string[]; readonly empty: boolean }>
> = {
  "assign --key-file": { call: ["assign", "a", ...MESH, "--key-file"], empty: true },
  "task --key-file": { call: ["task", TASK, "--result", ...MESH, "--key-file"], empty: true },
  "join --key-file": { call: ["join", ...MESH, "--key-file"], empty: true },
  "join --link-file": { call: ["join", "--link-file"], empty: true },
  "join --join-key-file": { call: ["join", ...MESH, "--join-key-file"], empty: true },
  // A module that is empty is loaded first (WK7).
  "join --module": { call: ["join", ...MESH, "--module"], empty: false },
  "rotate --key-file": { call: ["rotate", ...MESH, "--key-file"], empty: true },
  "rotate --link-file": { call: ["rotate", "--link-file"], empty: true },
  "start --geoip-database": { call: ["start", "--port", "0", "--geoip-database"], empty: true },
  "webhook create --secret-file": {
    call: [...CREATE, "--kind", "a", "--secret-file"],
    empty: true,
  },
  "webhook create --mapping-file": { call: [...CREATE, "--mapping-file"], empty: true },
  "webhook update --secret-file": { call: [...webhook("update"), "--secret-file"], empty: true },
  "webhook update --mapping-file": { call: [...webhook("update"), "--mapping-file"], empty: true },
  "webhook test FILE": { call: webhook("test"), empty: true },
  "backup --verify": { call: ["backup", "--verify"], empty: false },
  "backup --key-file": { call: ["backup", "--verify", "x", "--key-file"], empty: true },
  "backup --passphrase-file": {
    call: ["backup", "--verify", "x", "--passphrase-file"],
    empty: true,
  },
  "restore --key-file": { call: ["restore", "x", "--key-file"], empty: true },
  "restore --secrets-file": { call: ["restore", "x", "--secrets-file"], empty: true },
  "restore --passphrase-file": { call: ["restore", "x", "--passphrase-file"], empty: true },
  // An empty file has a digest, and a folder stands for its files.
  "demo FILE": { call: ["demo"], empty: false },
};

/** The files that are read as a whole into memory; the others are streams, modules or databases. */
const BOUNDED = new Set(
  Object.keys(FILES).filter((name) => !/module|geoip|--verify|demo FILE/.test(name)),
);
const SOURCES = join(import.meta.dirname, "../../src/cli");

const VALUES: Readonly<Record<string, string>> = {
  PEER_ID: PEER,
  PEER,
  OTHER: PEER,
  "PEER_ID or PUBLIC_KEY": PEER,
  PUBLIC_KEY: "12".repeat(32),
  TASK,
  TASK_ID: TASK,
  ID: TASK,
  TYPE: "get_stats",
};
const valuesOf = (names: readonly string[]): readonly string[] =>
  names.filter((name) => !name.startsWith("[")).map((name) => VALUES[name] ?? "a");

/** The least arguments of each command that calls a mesh, for `--token-file`. */
const WITH_TOKEN = Object.entries(COMMANDS).flatMap(([name, command]): (readonly string[])[] => {
  if (!(command.details ?? []).some(([option]) => option === "--token-file FILE")) return [];
  // It names its mesh by --server, and has a test of its own.
  if (name === "conformance") return [];
  if (name === "backup") return [["backup", "--out", join(tmpdir(), "muster-no.backup")]];
  if (command.actions === undefined) return [[name, ...valuesOf(command.arguments)]];
  return Object.entries(command.actions).map(([action, { arguments: names }]) => [
    name,
    action,
    ...argumentsOf(name, action, valuesOf(names)),
  ]);
});

function argumentsOf(command: string, action: string, words: readonly string[]): readonly string[] {
  const name = `${command} ${action}`;
  if (name === "token create") return ["viewer"];
  if (name === "token set") return ["a", "--weight", "2"];
  if (name === "kinds set") return ["a", "--concurrency", "2"];
  if (name === "tasks submit") return [TASKS_FILE];
  if (name === "webhook create") return ["a", "--scheme", "github", "--kind", "a"];
  if (name === "webhook update") return ["a", "--kind", "a"];
  if (name === "webhook test") return ["a", "--event", "1"];
  if (name.startsWith("tasks") && words.length === 0 && /cancel|retry/.test(action))
    return [TASK, "--dry-run"];
  if (/^peers (?:cordon|uncordon|drain)$/.test(name)) return [PEER, "--dry-run"];
  return words;
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-files-"));
  await writeFile(join(dir, "empty"), "", { mode: 0o600 });
  await mkdir(join(dir, "folder"));
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rm(dir, { recursive: true, force: true }));

async function outcomeOf([name = "", ...argv]: readonly string[]) {
  try {
    await COMMANDS[name]?.run(argv);
  } catch (error) {
    return describeError(error);
  }
  throw new Error("no error");
}

describe("a command that takes a file", () => {
  test("CL23 is in the table", () => {
    const documented = Object.entries(COMMANDS).flatMap(([name, { details }]) =>
      details.flatMap(([option]) => {
        const [, found] = /^ *(--\S+|FILE)(?: FILE)?$/.exec(option) ?? [];
        const takesFile = / FILE$|^FILE$/.test(option);
        return found !== undefined && takesFile ? [`${name.split(" ")[0]} ${found}`] : [];
      }),
    );
    const listed = Object.keys(FILES).map((key) => key.replace(/^webhook \w+/, "webhook"));
    // The files of settings have tests of their own.
    const others = documented.filter(
      (each) =>
        !/ --(?:token-file|out|junit)$/.test(each) && !/^start --(?!geoip)|^serve /.test(each),
    );
    expect([...new Set(others)].toSorted()).toEqual(
      [...new Set(listed)].filter((each) => each !== "webhook FILE").toSorted(),
    );
  });

  test.each(Object.entries(FILES))(
    "CL23 %s: a file that does not exist is an error of the call, before any request",
    async (_, { call }) => {
      for (const path of [join(dir, "missing"), join(dir, "empty", "below")]) {
        const { text, exitCode } = await outcomeOf([...call, path]);
        expect(text).toContain(path);
        expect(text).toContain("does not exist");
        expect(exitCode).toBe(2);
      }
    },
  );

  test.each(Object.entries(FILES))(
    "CL23 %s: so is a folder, and a useless file",
    async (name, { call, empty }) => {
      if (name !== "demo FILE") {
        const { text, exitCode } = await outcomeOf([...call, join(dir, "folder")]);
        expect(text).toContain(join(dir, "folder"));
        expect(exitCode).toBe(2);
      }
      if (!empty) return;
      expect((await outcomeOf([...call, join(dir, "empty")])).exitCode).toBe(2);
    },
  );

  test
    .runIf(process.platform === "linux")
    .each(Object.entries(FILES).filter(([name]) => BOUNDED.has(name)))(
    "CL23 %s: so is a file without an end, or larger than any is",
    async (_, { call }) => {
      const { text, exitCode } = await outcomeOf([...call, "/dev/zero"]);
      expect([text, exitCode]).toEqual([
        "/dev/zero has more than 32 MiB; check that it is the right one",
        2,
      ]);
    },
  );

  test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "CL23 so is a file that this user may not read, of each command (needs root)",
    async () => {
      const closed = join(dir, "closed");
      await writeFile(closed, "secret", { mode: 0o600 });
      const calls = Object.entries(FILES).filter(([name]) => BOUNDED.has(name));
      await chmod(dir, 0o755);
      const script = `
        import { COMMANDS } from ${JSON.stringify(join(SOURCES, "commands/index.ts"))};
        import { describeError } from ${JSON.stringify(join(SOURCES, "failure.ts"))};
        process.setgid(65534);
        process.setuid(65534);
        const told = {};
        for (const [name, [command, ...argv]] of ${JSON.stringify(calls.map(([name, { call }]) => [name, call]))})
          told[name] = await COMMANDS[command].run([...argv, ${JSON.stringify(closed)}]).catch(describeError);
        console.log(JSON.stringify(told));`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "-e", script],
        { cwd: dir, env: { ...process.env, HOME: dir, MUSTER_URL: "" } },
      );
      const told = JSON.parse(stdout) as Record<string, { text: string; exitCode: number }>;
      for (const [name] of calls) {
        expect([name, told[name]?.exitCode]).toEqual([name, 2]);
        expect(told[name]?.text).toContain(`cannot read ${closed} (EACCES); this user may not`);
      }
    },
  );

  test.each(WITH_TOKEN.map((call) => [call.join(" "), call] as const))(
    "CL23 %s --token-file: so is a token file that does not exist or has no token",
    async (_, call) => {
      const missing = join(dir, "missing");
      const { text, exitCode } = await outcomeOf([...call, ...MESH, "--token-file", missing]);
      expect([text, exitCode]).toEqual([
        `${missing} does not exist; it is the file of --token-file`,
        2,
      ]);
      const empty = await outcomeOf([...call, ...MESH, "--token-file", join(dir, "empty")]);
      expect([empty.text, empty.exitCode]).toEqual([expect.stringContaining("has no token"), 2]);
    },
  );

  test("CL23 --dir: so is a folder without a mesh, and a file", async () => {
    for (const path of [dir, join(dir, "empty"), join(dir, "missing")]) {
      const { text, exitCode } = await outcomeOf(["peers", "--dir", path]);
      expect([text, exitCode]).toEqual([expect.stringContaining(`${path} has no mesh`), 2]);
      expect(text).toContain(`start --dir ${path}`);
    }
    const started = await outcomeOf(["start", "--port", "0", "--dir", join(dir, "empty")]);
    expect([started.text, started.exitCode]).toEqual([
      `--dir must be a folder, which is created if it does not exist, not "${join(dir, "empty")}" (it is a file)`,
      2,
    ]);
  });

  test.each(
    [...WITH_TOKEN.filter(([name]) => name !== "restore"), ["state-hash"]].map(
      (call) => [call.join(" "), call] as const,
    ),
  )("CL64 %s: without --dir the folder is that of MUSTER_DIR", async (_, call) => {
    const folder = join(dir, "folder");
    vi.stubEnv("MUSTER_URL", "");
    vi.stubEnv("MUSTER_DIR", folder);
    const { text, exitCode } = await outcomeOf(call);
    expect(text).toContain(folder);
    expect(text).toContain("has no mesh");
    expect(exitCode).toBe(2);
  });

  test("CL64 an option, and MUSTER_URL, go before MUSTER_DIR", async () => {
    vi.stubEnv("MUSTER_DIR", join(dir, "folder"));
    vi.stubEnv("MUSTER_URL", "");
    const named = await outcomeOf(["peers", "--dir", join(dir, "other")]);
    expect(named.text).toContain(`${join(dir, "other")} has no mesh`);
    vi.stubEnv("MUSTER_URL", "http://127.0.0.1:1");
    expect((await outcomeOf(["peers"])).exitCode).toBe(3);
  });

  test.runIf(process.platform === "linux").each([
    ["restore", "x", "--dir"],
    ["start", "--port", "0", "--dir"],
  ])("CL63 %s: a folder that the system refuses ends the command with 1", async (...call) => {
    const { text, exitCode } = await outcomeOf([...call, "/proc/muster/no/folder"]);
    expect([text, exitCode]).toEqual([
      expect.stringContaining("cannot create the folder /proc/"),
      1,
    ]);
  });
});
