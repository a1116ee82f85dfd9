import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isLogEvent } from "../../src/base/log/log-events.ts";
import { connectPeer, controller } from "../../src/client/index.ts";
import { eventually, ProcessMarker, start, type MusterProcess } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-logs-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

type Line = Readonly<Record<string, unknown>>;
const linesOf = ({ stdout }: MusterProcess): Line[] =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
const ofEvent = (served: MusterProcess, name: string): Line[] =>
  linesOf(served).filter(({ event }) => event === name);

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
const FORGED = `mst_${"0".repeat(64)}`;
/** More than the lines of a minute, so that some are left out. */
const STRANGERS = 120;

test("TR18 TR23 TR24 muster serve writes the Worker's lines with their events, fields and traces, and a flood of strangers fills no disk", async () => {
  const args = ["serve", "--port", "0", "--log", "json", "--auth-mode", "open"];
  const served = start(args, { cwd: dir, env: mark.env });
  await served.waitForOutput(/the mesh runs/);
  const [{ url, mesh_key: meshKey } = {}] = ofEvent(served, "mesh.started");
  const at = { url: String(url), meshKey: String(meshKey) };
  const secrets = await readFile(join(dir, ".muster/secrets.env"), "utf8");
  const token = /^ADMIN_TOKEN=(\S+)$/m.exec(secrets)?.[1] ?? "";
  const mesh = controller({ url: at.url, token });
  const peer = connectPeer({
    ...at,
    handlers: {
      broken: () => {
        throw new Error("a secret of the payload");
      },
    },
  });
  try {
    await peer.ready;
    const task = await mesh.tasks.submit("broken", "5ecret", { maxAttempts: 1, traceparent });
    await eventually(
      () => ofEvent(served, "task.failed").length === 1,
      () => `a line about the task in ${served.stdout}`,
    );
    expect(ofEvent(served, "task.failed")).toMatchObject([
      { level: "info", task: task.id, kind: "broken", trace: TRACE, state: "failed", attempts: 1 },
    ]);
    for (let n = 0; n < STRANGERS; n++) {
      const answer = await fetch(`${at.url}/v1/tasks?key=5ecret`, {
        headers: { Authorization: `Bearer ${FORGED}`, traceparent },
      });
      await answer.body?.cancel();
      expect([401, 429]).toContain(answer.status);
    }
  } finally {
    await peer.close();
  }
  served.child.kill("SIGTERM");
  await served.finished;
  const refused = ofEvent(served, "request.refused");
  expect(refused[0]).toMatchObject({
    level: "info",
    code: "unauthorized",
    method: "GET",
    path: "/v1/tasks",
    address: "127.0.0.1",
    trace: TRACE,
  });
  // 20 at once, and as many in each minute that the requests took.
  expect(refused.length).toBeGreaterThanOrEqual(20);
  expect(refused.length).toBeLessThan(STRANGERS);
  for (const line of linesOf(served)) {
    expect(isLogEvent(line["event"])).toBe(true);
    expect(line).toMatchObject({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: expect.stringMatching(/^(?:info|warn|error)$/),
      message: expect.any(String),
    });
  }
  for (const hidden of [token, FORGED, "5ecret", "a secret of the payload"])
    expect(served.stdout).not.toContain(hidden);
});
