import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readOtlp, type OtlpSpan } from "../coordinator/tracing/otlp-schema.ts";
import { eventually, muster, ProcessMarker, start, type MusterProcess } from "./processes.ts";
import { Receiver } from "./receiver.ts";

const CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID = CALLER.slice(3, 35);

let dir: string;
let mark: ProcessMarker;
let collector: Receiver;
/** While true, the collector asks to come back. */
let isBusy = false;
let served: MusterProcess;
let worker: MusterProcess;

const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: dir,
  env: { ...mark.env, ...env },
});

/** The spans of a trace in all requests that the collector has taken, or has refused. */
const spansOf = (traceId: string): readonly OtlpSpan[] =>
  collector
    .at("/base/v1/traces")
    .flatMap(({ body }) => readOtlp(body).spans)
    .filter((span) => span.traceId === traceId);

async function serve(): Promise<MusterProcess> {
  const env = {
    OTLP_ENDPOINT: `${collector.url}/base`,
    OTLP_HEADERS: "x-key=a%20secret",
    TRACE_SAMPLE: "0",
    ALLOW_LOOPBACK: "true",
  };
  const args = ["serve", "--port", "0", "--auth-mode", "open", "--log", "json"];
  const process = start(args, options(env));
  await process.waitForOutput(/the mesh runs/);
  return process;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-tracing-"));
  mark = new ProcessMarker();
  collector = await Receiver.start((_got, _nth, response) => {
    if (isBusy) response.writeHead(503, { "Retry-After": "1" }).end();
    else response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  served = await serve();
  worker = start(["join", "--exec", `printf '"%s"' "$TRACEPARENT"`, "--retry"], options());
  await worker.waitForOutput(/joined/);
});
afterAll(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  collector.stop();
  await rm(dir, { recursive: true, force: true });
});

test("TR15 a collector at a private address gets the spans of a task and its callback, below the caller's span and above the program's", async () => {
  const callback = `${collector.url}/callback`;
  const args = ["assign", "work", "--traceparent", CALLER, "--callback", callback, "--wait"];
  const assigned = await muster(args, options());
  expect(assigned).toMatchObject({ code: 0 });
  const inProgram = JSON.parse(assigned.stdout) as string;
  await eventually(
    () => spansOf(TRACE_ID).some(({ name }) => name === "muster.callback.attempt"),
    () => `the spans of the callback, among ${JSON.stringify(spansOf(TRACE_ID))}`,
  );
  const spans = spansOf(TRACE_ID);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    "muster.attempt",
    "muster.callback",
    "muster.callback.attempt",
    "muster.submit",
    "muster.task",
    "muster.wait",
  ]);
  const named = (name: string) => spans.find((span) => span.name === name);
  expect(named("muster.task")?.parentSpanId).toBe(CALLER.slice(36, 52));
  expect(inProgram).toBe(`00-${TRACE_ID}-${named("muster.attempt")?.spanId}-01`);
  const [called] = collector.at("/callback");
  expect(called?.headers["traceparent"]).toBe(
    `00-${TRACE_ID}-${named("muster.callback.attempt")?.spanId}-01`,
  );
  const [sent] = collector.at("/base/v1/traces");
  expect(sent?.headers).toMatchObject({
    "content-type": "application/json",
    "x-key": "a secret",
  });
  expect(served.stdout + served.stderr).not.toContain("a secret");
});

test("TR13 a task without a caller's trace is not sent with a share of 0, and its program has no trace", async () => {
  const before = collector.at("/base/v1/traces").length;
  const assigned = await muster(["assign", "work", "--wait"], options());
  expect(assigned).toMatchObject({ code: 0, stdout: '""\n' });
  // A later one with a trace is sent, alone.
  const other = CALLER.replace(TRACE_ID, "1".repeat(32));
  await muster(["assign", "work", "--traceparent", other, "--wait"], options());
  await eventually(
    () => spansOf("1".repeat(32)).length > 0,
    () => "the spans of the later task",
  );
  const requests = collector.at("/base/v1/traces").slice(before);
  const traces = requests.flatMap(({ body }) => readOtlp(body).spans.map(({ traceId }) => traceId));
  expect(new Set(traces)).toEqual(new Set(["1".repeat(32)]));
});

test("TR12 what a collector did not take is sent again after a restart of the mesh, with the same IDs", async () => {
  isBusy = true;
  const trace = CALLER.replace(TRACE_ID, "2".repeat(32));
  await muster(["assign", "work", "--traceparent", trace, "--wait"], options());
  await eventually(
    () => spansOf("2".repeat(32)).length > 0,
    () => "a request that is refused",
  );
  const refused = spansOf("2".repeat(32));
  served.child.kill("SIGKILL");
  await served.finished;
  isBusy = false;
  served = await serve();
  const count = refused.length;
  const idsOf = (spans: readonly OtlpSpan[]) => new Set(spans.map(({ spanId }) => spanId));
  const takenOf = () => spansOf("2".repeat(32)).slice(count);
  await eventually(
    () => takenOf().length >= idsOf(refused).size,
    () => "the spans again",
  );
  expect(idsOf(takenOf())).toEqual(idsOf(refused));
});
