import { execFile, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectPeer, controller, type PeerEvent } from "../../src/client/index.ts";
import { newSecrets } from "../../src/cli/state-folder.ts";
import { secretsText } from "../../src/cli/secrets-file.ts";
import {
  eventually,
  muster,
  ProcessMarker,
  PROJECT,
  start,
  type MusterProcess,
} from "./processes.ts";
import { present } from "../must.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-serve-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: dir,
  env: { ...mark.env, ...env },
});

type Line = Readonly<Record<string, string>>;
const linesOf = ({ stdout }: { readonly stdout: string }): Line[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

/** Starts `muster serve`; returns it with its first log line. */
async function serve(args: readonly string[] = [], env = {}): Promise<[MusterProcess, Line]> {
  const served = start(["serve", "--port", "0", "--log", "json", ...args], options(env));
  await served.waitForOutput(/the mesh runs/);
  return [served, linesOf(served)[0] ?? {}];
}

describe("muster serve", () => {
  test("SV10 runs an allowlist, and logs JSON lines with time, level and message, and without a secret", async () => {
    const [served, line] = await serve();
    expect(line).toMatchObject({ level: "info", message: "the mesh runs", auth_mode: "allowlist" });
    expect(Date.parse(line["time"] ?? "")).not.toBeNaN();
    const secrets = await readFile(join(dir, ".muster/secrets.env"), "utf8");
    served.child.kill("SIGTERM");
    const ended = await served.finished;
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(linesOf(ended).at(-1)).toMatchObject({ message: "the mesh has stopped" });
    for (const [secret] of secrets.matchAll(/[0-9a-f]{64}/g))
      expect(ended.stdout).not.toContain(secret);
    await mark.expectNoneLeft();
  });

  test("SV14 muster start obeys the same settings: AUTH_MODE=allowlist is an allowlist", async () => {
    const started = start(["start", "--port", "0"], options({ AUTH_MODE: "allowlist" }));
    await started.waitForOutput(/Ctrl-C stops it/);
    expect(started.stdout).toMatch(/auth mode +allowlist/);
    started.child.kill("SIGTERM");
    await started.finished;
    const wrong = await muster(["start", "--port", "0"], options({ AUTHMODE: "allowlist" }));
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean AUTH_MODE?"),
    });
  });

  test("SV15 a signal tells the peers to come back, refuses new ones, and ends everything", async () => {
    const [served, { url = "", mesh_key: meshKey = "" }] = await serve(["--auth-mode", "open"]);
    const codes: unknown[] = [];
    const onEvent = (event: PeerEvent) => {
      if (event.type === "disconnected") codes.push(event.code);
    };
    const peers = Array.from({ length: 12 }, () =>
      connectPeer({ url, meshKey, handlers: {}, onEvent }),
    );
    await Promise.all(peers.map((peer) => peer.ready));
    served.child.kill("SIGTERM");
    expect(await served.finished).toMatchObject({ code: 0, stderr: "" });
    await eventually(
      () => codes.length >= 12,
      () => `12 closed sessions, not ${codes.length}`,
    );
    expect(codes.slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 4503));
    await mark.expectNoneLeft();
    for (const peer of peers) void peer.close();
  });

  test("SV15 a workerd that does not react is ended all the same", async () => {
    const [served] = await serve();
    const workerd = (await mark.markedProcesses()).find(({ command }) =>
      command.includes("workerd serve /"),
    );
    process.kill(present(workerd).pid, "SIGSTOP");
    served.child.kill("SIGTERM");
    expect((await served.finished).code).toBe(0);
    await mark.expectNoneLeft();
  });

  test("SV6 SIGHUP without TLS ends it, too", async () => {
    const [served] = await serve();
    served.child.kill("SIGHUP");
    expect((await served.finished).code).toBe(0);
    await mark.expectNoneLeft();
  });

  test("SV16 serves TLS with the certificate of a file, and with the next one after SIGHUP", async () => {
    const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    await certificate("first.example", cert, key);
    const [served, line] = await serve(["--tls-cert", cert, "--tls-key", key]);
    expect(line["url"]).toMatch(/^https:/);
    const port = Number(new URL(line["url"] ?? "").port);
    expect(await nameServed(port)).toBe("first.example");
    await writeFile(key, "no key");
    served.child.kill("SIGHUP");
    await served.waitForOutput(/the TLS certificate stays as it was/);
    expect(await nameServed(port)).toBe("first.example");
    await certificate("second.example", join(dir, "c2"), join(dir, "k2"));
    await copyFile(join(dir, "c2"), cert);
    await copyFile(join(dir, "k2"), key);
    served.child.kill("SIGHUP");
    await served.waitForOutput(/the TLS certificate was read again/);
    expect(await nameServed(port)).toBe("second.example");
    served.child.kill("SIGTERM");
    expect((await served.finished).code).toBe(0);
  });

  test("SV13 takes its secrets from a file, and then writes none into its folder", async () => {
    const secrets = newSecrets();
    const file = join(dir, "mesh.secrets");
    await writeFile(file, secretsText(secrets), { mode: 0o600 });
    const [served, { url = "" }] = await serve(["--secrets", file, "--dir", "data"]);
    const mesh = controller({ url, token: secrets.ADMIN_TOKEN });
    expect(await mesh.settings.authMode()).toBe("allowlist");
    await expect(readFile(join(dir, "data/secrets.env"))).rejects.toThrow("ENOENT");
    served.child.kill("SIGTERM");
    await served.finished;
  });

  test.each([
    [
      "a wrong key",
      {},
      { ...newSecrets(), MESH_SIGNING_KEY: "abc" },
      "the variable MESH_SIGNING_KEY: the secret MESH_SIGNING_KEY is not 32 bytes",
    ],
    [
      "a wrong mode",
      { AUTH_MODE: "allowlst" },
      {},
      'the variable AUTH_MODE must be allowlist or open, not "allowlst"',
    ],
    [
      "a wrong count",
      { PEERS_MAX: "many" },
      {},
      'the variable PEERS_MAX must be a whole number of at least 1, not "many"',
    ],
  ])("SV18 ends with one line and no process for %s", async (_, env, secrets, fault) => {
    const ended = await muster(["serve", "--port", "0"], options({ ...env, ...secrets }));
    expect(ended.stderr).toMatch(/^muster: [^\n]+\n$/);
    expect(ended.stderr).toContain(fault);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    await mark.expectNoneLeft();
  });

  test("SV18 ends with one line for a port in use, a locked folder, and a folder that cannot be made or written", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    const [served] = await serve(["--dir", "locked"]);
    await writeFile(join(dir, "file"), "");
    const faults = [
      [
        ["--port", String(port)],
        /^muster: port \d+ of 127\.0\.0\.1 is in use \(EADDRINUSE\); [^\n]+\n$/,
      ],
      [
        ["--port", "0", "--dir", "locked"],
        /^muster: another mesh \(process \d+\) uses the folder [^\n]+locked; stop that mesh first \(kill \d+\)[^\n]+\n$/,
      ],
      [
        ["--port", "0", "--dir", "file/below"],
        /^muster: --dir must be a folder[^\n]+ \(a part of the path is a file\)\n$/,
      ],
      [["--port", "0", "--dir", "file"], /^muster: --dir must be a folder[^\n]+it is a file\)\n$/],
      [["--port", "0", "--dir", "/proc/muster"], /^muster: cannot create the folder [^\n]+\n$/],
    ] as const;
    for (const [args, line] of faults) {
      const ended = await muster(["serve", ...args], options());
      expect(ended.stderr).toMatch(line);
      expect(ended.code).not.toBe(0);
    }
    holder.close();
    served.child.kill("SIGTERM");
    await served.finished;
    await mark.expectNoneLeft();
  });
});

/** Whether this user may mount a file system. */
const mayMount =
  process.platform === "linux" &&
  spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

describe("muster serve on a disk without room", () => {
  test.skipIf(!mayMount).each([
    ["is full", "size=1m", /^muster: the disk of [^\n]+ is full: \d+ MB are free[^\n]+\n$/],
    ["cannot be written", "size=64m,ro", /^muster: cannot [^\n]+ \(EROFS\)[^\n]*\n$/],
  ])(
    "SV18 ends with one line if the disk %s (needs the right to mount)",
    async (_, mount, line) => {
      const disk = join(dir, "disk");
      await mkdir(disk);
      const { execPath } = process;
      const main = join(PROJECT, "src/cli/main.ts");
      const script = `mount -t tmpfs -o ${mount} tmpfs '${disk}' && exec '${execPath}' '${main}' serve --port 0 --dir '${disk}/mesh'`;
      const { status, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", script], {
        encoding: "utf8",
        env: { ...process.env, ...mark.env, NO_COLOR: "1" },
        timeout: 60_000,
      });
      expect(stderr).toMatch(line);
      expect(status).not.toBe(0);
      await mark.expectNoneLeft();
    },
  );
});

/** Writes a certificate that a new key has signed itself. */
async function certificate(name: string, cert: string, key: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const args = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
  ];
  const files = ["-subj", `/CN=${name}`, "-days", "2", "-out", cert, "-keyout", key];
  await promisify(execFile)("openssl", [...args, ...files]);
}

/** The name in the certificate that is served on the port. */
const nameServed = (port: number): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on("error", reject);
  });
