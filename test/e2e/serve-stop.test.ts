import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CERTIFICATE, CERTIFICATE_KEY } from "../server/outbound/certificate.ts";
import { eventually, ProcessMarker, start, startedLine, type MusterProcess } from "./processes.ts";
import { present } from "../must.ts";

let dir: string;
let mark: ProcessMarker;
const sockets: Socket[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-stop-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** Starts `muster serve`; returns it with its port. */
async function serve(args: readonly string[] = []): Promise<[MusterProcess, number]> {
  const options = { cwd: dir, env: mark.env };
  const served = start(["serve", "--port", "0", "--log", "json", ...args], options);
  await served.waitForOutput(/the mesh runs/);
  const { url = "" } = startedLine(served);
  return [served, Number(new URL(url).port)];
}

/** A connection that stays open on the client's side, whatever the server does. */
function hold(port: number, text = ""): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {}).write(text);
  sockets.push(socket);
  return socket;
}

const workerdOf = async (): Promise<number> =>
  present((await mark.markedProcesses()).find(({ command }) => command.includes("workerd serve /")))
    .pid;

const REQUEST = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UPGRADE =
  "GET /v1/connect HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/** What a client does that keeps its connection. */
const CLIENTS: readonly (readonly [what: string, hold: (port: number) => void])[] = [
  ["says nothing", (port) => void hold(port)],
  ["has closed its half", (port) => void hold(port, REQUEST).end()],
  [
    "reads no answer",
    (port) => {
      const socket = hold(port, REQUEST.repeat(200));
      socket.pause();
    },
  ],
  [
    "sends a request without its end",
    (port) =>
      void hold(
        port,
        "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{",
      ),
  ],
  ["follows events", (port) => void hold(port, `GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n`)],
  ["has begun a WebSocket and reads nothing", (port) => void hold(port, UPGRADE).pause()],
];

describe("the end of muster serve", () => {
  test("SV15 it ends although clients keep their connections", async () => {
    const [served, port] = await serve(["--auth-mode", "open"]);
    for (const [, client] of CLIENTS) client(port);
    await eventually(
      () => sockets.every(({ connecting }) => !connecting),
      () => "all connections",
    );
    served.child.kill("SIGTERM");
    expect(await served.finished).toMatchObject({ code: 0, stderr: "" });
    await mark.expectNoneLeft();
  });

  test("SV15 it ends although TLS handshakes are not finished, and are not begun", async () => {
    await writeFile(join(dir, "cert.pem"), CERTIFICATE);
    await writeFile(join(dir, "key.pem"), CERTIFICATE_KEY);
    const [served, port] = await serve(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    hold(port);
    // The first bytes of a ClientHello.
    hold(port).write(Buffer.from("160301020001", "hex"));
    const secure = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    secure.on("error", () => {});
    sockets.push(secure);
    await eventually(
      () => secure.encrypted && secure.getProtocol() !== null,
      () => "a TLS connection",
    );
    served.child.kill("SIGTERM");
    expect(await served.finished).toMatchObject({ code: 0, stderr: "" });
    await mark.expectNoneLeft();
  });

  test("SV15 a second signal ends it at once, before its sessions have ended", async () => {
    const [served] = await serve();
    // The mesh does not answer, so that the end takes all the time that it has.
    process.kill(await workerdOf(), "SIGSTOP");
    served.child.kill("SIGTERM");
    await served.waitForOutput(/the mesh stops/);
    // A signal within a second may be the first one, forwarded.
    while (served.child.exitCode === null) {
      await sleep(200);
      served.child.kill("SIGTERM");
    }
    const ended = await served.finished;
    expect(ended).toMatchObject({ code: 143 });
    expect(ended.stdout).not.toContain("the mesh has stopped");
    await mark.expectNoneLeft();
  });
});
