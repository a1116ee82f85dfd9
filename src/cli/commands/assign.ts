import { text } from "node:stream/consumers";
import { toHex } from "../../base/bytes.ts";
import { TaskFailed, type AssignOptions, type Json } from "../../client/index.ts";
import {
  choiceOption,
  countOption,
  numberOption,
  readArgs,
  timeOption,
  type Command,
  type Values,
} from "../args.ts";
import { UsageError } from "../failure.ts";
import { readKeyFile } from "../key-file.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "assign KIND [PAYLOAD | -] [--wait] [--capability X]...";

/** Whom tasks can be given to. */
const ROLES = ["worker", "dual"] as const;

const OPTIONS = {
  ...TARGET_OPTIONS,
  wait: { type: "boolean" },
  timeout: { type: "string" },
  capability: { type: "string", multiple: true },
  peer: { type: "string" },
  "min-score": { type: "string" },
  priority: { type: "string" },
  deadline: { type: "string" },
  attempts: { type: "string" },
  lease: { type: "string" },
  callback: { type: "string" },
  avoid: { type: "string", multiple: true },
  role: { type: "string" },
  "not-before": { type: "string" },
  "idempotency-key": { type: "string" },
  "key-file": { type: "string" },
} as const;

/** Gives the mesh a task. */
export const assign: Command = {
  usage,
  summary: "give the mesh a task; PAYLOAD is JSON, - reads it from stdin",
  details: [
    ["--wait", "wait for the end and print the result as JSON"],
    ["--timeout SECONDS", "wait no longer than that"],
    ["--capability X", "only a peer with this label; may be repeated"],
    ["--peer PEER_ID", "only this peer"],
    ["--avoid PEER_ID", "never this peer; may be repeated"],
    ["--role ROLE", `only a peer of this role (${ROLES.join(", ")})`],
    ["--min-score N", "only a peer that scores at least that"],
    ["--priority N", "higher goes first; -100 to 100"],
    ["--not-before TIME", "begin no sooner (RFC 3339)"],
    ["--deadline SECONDS", "not ended by then, it expires"],
    ["--attempts N", "how often it may be tried"],
    ["--lease SECONDS", "how long a peer may be silent about it"],
    ["--idempotency-key KEY", "given again under this key, it is the same task"],
    ["--key-file FILE", "have the result sealed to this key; --wait opens it"],
    ["--callback URL", "is told of the end; `muster callback secret` says what signs that"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 2, usage });
    const { keys } = values["key-file"] === undefined ? {} : await readKeyFile(values["key-file"]);
    const sealTo = keys && { sealTo: toHex(keys.publicKey) };
    const options = { ...assignOptions(values), ...sealTo };
    const timeout = numberOption("timeout", values.timeout);
    const payload = await payloadOf(positionals[1]);
    const mesh = await controllerOf(values);
    const assigned = await mesh.assign(String(positionals[0]), payload, options);
    if (values.wait !== true) {
      if (values.json === true) printJson(assigned);
      else print(assigned.id);
      return 0;
    }
    const wait = timeout === undefined ? {} : { timeoutMs: timeout * 1_000 };
    const ended = await mesh.wait(assigned.id, wait);
    if (values.json === true) printJson(ended);
    if (ended.state !== "succeeded") throw new TaskFailed(ended);
    if (values.json !== true) print(JSON.stringify(await mesh.resultOf(ended, keys?.privateKey)));
    return 0;
  },
};

async function payloadOf(word: string | undefined): Promise<Json> {
  if (word === undefined) return null;
  const source = word === "-" ? await text(process.stdin) : word;
  try {
    return JSON.parse(source) as Json;
  } catch {
    throw new UsageError("PAYLOAD is not JSON", `text needs its quotes: '"like this"'`);
  }
}

function assignOptions(values: Values<typeof OPTIONS>): AssignOptions {
  const minScore = numberOption("min-score", values["min-score"]);
  const priority = numberOption("priority", values.priority);
  const deadlineSeconds = numberOption("deadline", values.deadline);
  const maxAttempts = countOption("attempts", values.attempts);
  const leaseSeconds = numberOption("lease", values.lease);
  const role = choiceOption("role", values.role, ROLES);
  const notBefore = timeOption("not-before", values["not-before"]);
  return {
    ...(values.capability !== undefined && { capabilities: values.capability }),
    ...(values.peer !== undefined && { peerId: values.peer }),
    ...(minScore !== undefined && { minScore }),
    ...(priority !== undefined && { priority }),
    ...(deadlineSeconds !== undefined && { deadlineSeconds }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(leaseSeconds !== undefined && { leaseSeconds }),
    ...(values.callback !== undefined && { callback: { url: values.callback } }),
    ...(values.avoid !== undefined && { avoid: values.avoid }),
    ...(role !== undefined && { role }),
    ...(notBefore !== undefined && { notBefore }),
    ...(values["idempotency-key"] !== undefined && { idempotencyKey: values["idempotency-key"] }),
  };
}
