import { toHex } from "../../base/bytes.ts";
import { TaskFailed, type MeshClient, type SubmitOptions, type Task } from "../../client/index.ts";
import { readTrace, readTraceparent, traceHeaders } from "../../protocol/trace-context.ts";
import { choiceOption, countOption, numberOption, timeOption, type Values } from "../args.ts";
import { command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { peerId } from "../identifiers.ts";
import { readKeyFile } from "../key-file.ts";
import { note, print, printJson, printJsonText } from "../output.ts";
import { readPayload } from "../payload.ts";
import { asWritten } from "../task-output.ts";
import { OUTAGE_MS } from "../wait/outage.ts";
import { submitTask } from "../wait/submit-task.ts";
import { waitForTask } from "../wait/wait-for-task.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "assign KIND [PAYLOAD | -] [--wait] [--capability X]...";

/** The roles whose peers run tasks. */
const ROLES = ["worker", "dual"] as const;

const OPTIONS = {
  ...TARGET_OPTIONS,
  wait: { type: "boolean" },
  timeout: { type: "string" },
  capability: { type: "string", multiple: true },
  peer: { type: "string" },
  "min-score": { type: "string" },
  priority: { type: "string" },
  "concurrency-key": { type: "string" },
  "concurrency-limit": { type: "string" },
  deadline: { type: "string" },
  attempts: { type: "string" },
  lease: { type: "string" },
  "attempt-timeout": { type: "string" },
  callback: { type: "string" },
  avoid: { type: "string", multiple: true },
  role: { type: "string" },
  "not-before": { type: "string" },
  "idempotency-key": { type: "string" },
  traceparent: { type: "string" },
  "key-file": { type: "string" },
} as const;

/** Submits a task to the mesh. */
export const assign = command({
  usage,
  summary: "submit a task; PAYLOAD is JSON, - reads it from stdin",
  details: [
    ["--wait", "wait until the task ends, and print its result as JSON"],
    ["--timeout SECONDS", "with --wait: stop waiting after this time"],
    ["--capability X", "require a peer with this capability; repeatable"],
    ["--peer PEER_ID", "require this peer"],
    ["--avoid PEER_ID", "exclude this peer; repeatable"],
    ["--role ROLE", `require a peer with this role (${ROLES.join(", ")})`],
    ["--min-score N", "require a peer with at least this score, 0 to 1"],
    ["--priority N", "tasks with a higher priority are assigned first; -100 to 100"],
    ["--concurrency-key KEY", "limits how many of your tasks with this key peers have at once"],
    ["--concurrency-limit N", "that limit; default: 1"],
    ["--not-before TIME", "do not assign the task before this time (RFC 3339)"],
    ["--deadline SECONDS", "the task expires if it has not ended after this time"],
    ["--attempts N", "the maximum number of attempts"],
    ["--attempt-timeout SECONDS", "how long one attempt may take; default: an hour"],
    ["--lease SECONDS", "how long a peer holds the task without renewing its lease"],
    [
      "--idempotency-key KEY",
      "a second submission with this key returns the first task; default: a new one",
    ],
    ["--traceparent TEXT", "the trace that the task belongs to; default: TRACEPARENT"],
    ["--key-file FILE", "seal the result to this key; --wait opens it"],
    ["--callback URL", "receives a signed POST when the task ends (see `muster callback`)"],
    ...TARGET_DETAILS,
  ],
  examples: ["assign resize '{\"width\":320}' --wait", "assign add -5 --priority -1"],
  options: OPTIONS,
  arguments: ["KIND", "[PAYLOAD]"],
  run: async (values, positionals) => {
    if (values.timeout !== undefined && values.wait !== true)
      throw new UsageError("--timeout says how long to wait", "pass --wait, too, or leave it out");
    const { keys } = values["key-file"] === undefined ? {} : await readKeyFile(values["key-file"]);
    const sealTo = keys && { sealTo: toHex(keys.publicKey) };
    const options = { ...assignOptions(values), ...sealTo };
    const timeout = numberOption("timeout", values.timeout);
    const payload = await readPayload(positionals[1]);
    const mesh = await controllerOf(values);
    const assigned = await submitTask(
      mesh,
      { kind: String(positionals[0]), payload, options },
      { outageMs: values.wait === true ? OUTAGE_MS : 0, json: values.json === true },
    );
    await noteWhyItWaits(mesh, assigned);
    if (values.wait !== true) {
      if (values.json === true) printJson(asWritten(assigned));
      else print(assigned.id);
      return 0;
    }
    const ended = await waitForTask(mesh, assigned.id, {
      ...(timeout !== undefined && { timeoutMs: timeout * 1_000 }),
      json: values.json === true,
      target: values,
    });
    if (values.json === true) printJson(asWritten(ended));
    if (ended.state !== "succeeded") throw new TaskFailed(ended);
    if (values.json !== true) printJsonText(await mesh.tasks.resultTextOf(ended, keys?.privateKey));
    return 0;
  },
});

/** Says at once why no peer has got the task, if none can take it now: a misspelled kind would wait until its deadline. */
async function noteWhyItWaits(
  mesh: MeshClient,
  { id, state }: Pick<Task, "id" | "state">,
): Promise<void> {
  if (state !== "queued") return;
  const reason = await mesh.tasks.why(id).then(
    ({ waits_because }) => waits_because,
    () => null, // the task itself was accepted
  );
  if (reason !== null) note(`the task is queued: ${reason}`);
}

function assignOptions(values: Values<typeof OPTIONS>): SubmitOptions {
  const minScore = numberOption("min-score", values["min-score"]);
  const priority = numberOption("priority", values.priority);
  const deadlineSeconds = numberOption("deadline", values.deadline);
  const maxAttempts = countOption("attempts", values.attempts);
  const leaseSeconds = numberOption("lease", values.lease);
  const attemptTimeoutSeconds = numberOption("attempt-timeout", values["attempt-timeout"]);
  const role = choiceOption("role", values.role, ROLES);
  const notBefore = timeOption("not-before", values["not-before"]);
  return {
    ...(values.capability !== undefined && { capabilities: values.capability }),
    ...(values.peer !== undefined && { peerId: peerId(values.peer, "--peer") }),
    ...(minScore !== undefined && { minScore }),
    ...(priority !== undefined && { priority }),
    ...concurrencyOption(values),
    ...(deadlineSeconds !== undefined && { deadlineSeconds }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(leaseSeconds !== undefined && { leaseSeconds }),
    ...(attemptTimeoutSeconds !== undefined && { attemptTimeoutSeconds }),
    ...(values.callback !== undefined && { callback: { url: values.callback } }),
    ...(values.avoid !== undefined && {
      avoid: values.avoid.map((each) => peerId(each, "--avoid")),
    }),
    ...(role !== undefined && { role }),
    ...(notBefore !== undefined && { notBefore }),
    ...(values["idempotency-key"] !== undefined && { idempotencyKey: values["idempotency-key"] }),
    ...traceOption(values.traceparent),
  };
}

function concurrencyOption(values: Values<typeof OPTIONS>): Pick<SubmitOptions, "concurrency"> {
  const key = values["concurrency-key"];
  const limit = countOption("concurrency-limit", values["concurrency-limit"]);
  if (key !== undefined) return { concurrency: { key, limit: limit ?? 1 } };
  if (limit === undefined) return {};
  throw new UsageError("--concurrency-limit needs --concurrency-key", "give both");
}

/**
 * The trace that the option names, else that of the environment, as OpenTelemetry's programs hand it on. One in the environment that is not
 * valid is ignored: whoever calls the command did not write it.
 */
function traceOption(given: string | undefined): Pick<SubmitOptions, "traceparent" | "tracestate"> {
  if (given !== undefined) {
    if (readTraceparent(given) !== null) return { traceparent: given };
    throw new UsageError(
      `--traceparent is not valid: ${given}`,
      "write 00-TRACE_ID-PARENT_ID-FLAGS, with 32, 16 and 2 lower-case hex characters",
    );
  }
  const { TRACEPARENT: traceparent, TRACESTATE: tracestate } = process.env;
  return traceHeaders(readTrace({ traceparent, tracestate }));
}
