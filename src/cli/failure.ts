import { BackupError } from "../backup/format.ts";
import { redactedError } from "../base/redact.ts";
import {
  DiscoveryError,
  DiscoveryIncomplete,
  MusterApiError,
  OptionsError,
  PeerError,
  TaskFailed,
  WaitTimeout,
  type PeerErrorCode,
} from "../client/index.ts";
import { diskFault } from "./disk-full.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { OutputFailed } from "./output.ts";
import { readMore } from "./read-more.ts";
import { Stopped } from "./signals.ts";
import { systemRemedy } from "./system-codes.ts";
import { quotedCommand } from "./command-name.ts";
import { whyUnanswered } from "./unreachable.ts";

/** Marks failures of this module and of its copy in the package `muster-mesh-server`. */
const FAILURE = Symbol.for("muster.failure");

/** An error that the user can act on: one line with what is wrong, a hint what to do, and lines that explain it. */
export class Failure extends Error {
  readonly [FAILURE] = true;
  override readonly name: string = "Failure";
  /** For programs, in the output of `--json`. */
  readonly code: string = "failed";
  readonly exitCode: number = EXIT.failed;
  readonly hint: string | undefined;

  readonly details: readonly string[];

  constructor(message: string, hint?: string, details: readonly string[] = []) {
    super(message);
    this.hint = hint;
    this.details = details;
  }
}

/** The command line is invalid. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  override readonly code = "usage";
  override readonly exitCode = EXIT.usage;
}

/** What is told of an error, and the exit code. */
interface Told {
  readonly code: string;
  readonly exitCode: number;
  /** What is wrong. A line shows it after the code, if that is one that a mesh or the SDK defines. */
  readonly message: string;
  readonly hasCode?: boolean;
  /** What to do. */
  readonly hint?: string | undefined;
  /** The command that explains the code. */
  readonly more?: string | null;
  /** Lines that explain it. */
  readonly details?: readonly string[];
  /** Further facts for programs. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** What the user is told, and the exit code. */
interface Described {
  readonly text: string;
  /** Further lines, indented. */
  readonly details: readonly string[];
  readonly exitCode: number;
}

/** An error for people: one line, and lines that explain it. */
export function describeError(error: unknown): Described {
  const { code, exitCode, message, hasCode = false, hint, more = null, details = [] } = told(error);
  const what = hasCode ? `${code}: ${message}` : message;
  return {
    text: hint === undefined ? what : `${what}; ${hint}`,
    details: [...details, ...(more === null ? [] : [more])].map((line) => `  ${line}`),
    exitCode,
  };
}

/** An error for programs: one JSON object. `remedy` says what to do, or which command explains the code; null if nothing is known. */
export function errorJson(error: unknown): Readonly<Record<string, unknown>> {
  const { code, exitCode, message, hint, more = null, details = [], facts } = told(error);
  return {
    code,
    message,
    remedy: hint ?? more,
    exit_code: exitCode,
    ...facts,
    ...(details.length > 0 && { details }),
  };
}

/** The frames of a stack: what follows its message, which is told once and may itself look like frames. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { stack = "", message } = error;
  return stack
    .slice(stack.indexOf(message) + message.length)
    .split("\n")
    .filter((line) => line.startsWith("    at "));
}

const isFailure = (error: unknown): error is Failure => error instanceof Error && FAILURE in error;

function told(error: unknown): Told {
  if (isFailure(error) || error instanceof Stopped) return error;
  if (error instanceof OutputFailed)
    return { code: error.code, message: error.message, exitCode: EXIT.failed };
  if (error instanceof MusterApiError) {
    const { code, status, retryAfter, taskId, idempotencyKey: key } = error;
    const { systemCode, hint = apiHint(error) } = whyUnanswered(error);
    return {
      code,
      message: `${apiMessage(error)}${systemCode === undefined ? "" : ` (${systemCode})`}`,
      hasCode: true,
      hint: key === undefined ? hint : submitAgain(key),
      more: readMore(code),
      exitCode: exitCodeOf(code, status),
      facts: {
        ...(status !== 0 && { status }),
        ...(retryAfter !== undefined && { retry_after_seconds: retryAfter }),
        ...(taskId !== undefined && { task_id: taskId }),
        ...(key !== undefined && { idempotency_key: key }),
      },
    };
  }
  if (error instanceof PeerError)
    return {
      code: error.code,
      message: peerErrorText(error),
      hasCode: true,
      hint: PEER_HINTS[error.code],
      more: readMore(error.code),
      exitCode: exitCodeOf(error.code),
    };
  if (error instanceof TaskFailed || error instanceof WaitTimeout) {
    const { code, message, task } = error;
    const facts = { task_id: task.id };
    return { code, message, more: readMore(code), exitCode: EXIT.failed, facts };
  }
  if (error instanceof DiscoveryError || error instanceof BackupError)
    return {
      code: error.code,
      message: error.message,
      hasCode: true,
      more: readMore(error.code),
      exitCode: exitCodeOf(error.code),
    };
  if (error instanceof DiscoveryIncomplete) {
    const { code } = error;
    const message = `incomplete: ${error.message}`;
    return { code, message, more: readMore(code), exitCode: exitCodeOf(code) };
  }
  if (error instanceof OptionsError)
    return { code: "usage", message: error.message, exitCode: EXIT.usage };
  const fault = diskFault(error);
  if (fault !== null)
    return {
      code: "failed",
      message: `cannot go on (${fault}): ${redactedError(error)}`,
      hint: systemRemedy(fault),
      exitCode: EXIT.failed,
    };
  // A bug, so its details are the stack.
  return {
    code: "unexpected",
    message: `unexpected error: ${redactedError(error)}`,
    details: framesOf(error),
    exitCode: EXIT.failed,
  };
}

/** Without the code, and without the SDK's words about a submission. */
const apiMessage = (error: MusterApiError): string => {
  const { code, message, detail, idempotencyKey } = error;
  if (idempotencyKey !== undefined) return detail;
  const text = message.slice(`${code}: `.length);
  // The hint says after which time.
  return error.retryAfter === undefined ? text : text.replace(/; try again(?= \(task |$)/, "");
};

const submitAgain = (key: string): string =>
  `the task may have been submitted: submit it again with --idempotency-key ${key}, which makes no second task`;

/** The code is told once: a reason that came with a close frame begins with it, too. */
const peerErrorText = ({ code, message }: PeerError): string =>
  message.replaceAll(`(${code}: `, "(");

function apiHint({ code, retryAfter }: MusterApiError): string | undefined {
  switch (code) {
    case "unreachable":
      return `check that the mesh is running; ${quotedCommand("start")} starts one in this folder`;
    case "unauthorized":
      return "pass a token with --token-file or MUSTER_TOKEN";
    case "invalid_response":
      return "check that the URL is that of a mesh";
    default:
      return retryAfter === undefined ? undefined : `try again in ${retryAfter} s`;
  }
}

const PEER_HINTS: { readonly [Code in PeerErrorCode]?: string } = {
  mesh_key_mismatch:
    "do not join unless the operator confirms the new key; then pass it with --mesh-key",
  not_allowed: `join with a link of ${quotedCommand("join-key create")}, or have the operator run ${quotedCommand("allow PUBLIC_KEY")}`,
  join_key_invalid: "ask the operator for a new link",
  superseded: "two peers use the same key file; use a separate key file for each",
};
