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
import { readMore } from "./read-more.ts";
import { Stopped } from "./signals.ts";
import { quotedCommand } from "./command-name.ts";

/** The exit code of a command whose output is right as far as it goes, and not complete. */
export const EXIT_INCOMPLETE = 3;

/** Marks failures of this module and of its copy in the package `muster-mesh-server`. */
const FAILURE = Symbol.for("muster.failure");

/** An error that the user can act on: one line with what is wrong, a hint what to do, and lines that explain it. */
export class Failure extends Error {
  readonly [FAILURE] = true;
  override readonly name: string = "Failure";
  readonly exitCode: number = 1;
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
  override readonly exitCode = 2;
}

/** What the user is told, and the exit code. */
interface Described {
  readonly text: string;
  /** Further lines, indented. */
  readonly details: readonly string[];
  readonly exitCode: number;
}

/** An unexpected error is a bug, so its details are the stack. */
export function describeError(error: unknown): Described {
  const failure = toFailure(error);
  if (failure === null)
    return {
      text: `unexpected error: ${redactedError(error)}`,
      details: framesOf(error),
      exitCode: 1,
    };
  const { message, hint, details = [], exitCode } = failure;
  const text = hint === undefined ? message : `${message}; ${hint}`;
  return { text, details: details.map((line) => `  ${line}`), exitCode };
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

type DescribedFailure = Pick<Failure, "message" | "exitCode"> & {
  readonly hint?: string | undefined;
  readonly details?: readonly string[];
};

function toFailure(error: unknown): DescribedFailure | null {
  if (isFailure(error) || error instanceof Stopped) return error;
  if (error instanceof MusterApiError)
    return new Failure(error.message, apiHint(error), moreOf(error));
  if (error instanceof PeerError)
    return new (CALL_ERRORS.has(error.code) ? UsageError : Failure)(
      peerErrorText(error),
      PEER_HINTS[error.code],
      moreOf(error),
    );
  if (error instanceof TaskFailed || error instanceof WaitTimeout)
    return new Failure(error.message, undefined, moreOf(error));
  if (error instanceof DiscoveryError)
    return new Failure(codedText(error), undefined, moreOf(error));
  if (error instanceof DiscoveryIncomplete)
    return {
      message: `incomplete: ${error.message}`,
      exitCode: EXIT_INCOMPLETE,
      details: moreOf(error),
    };
  if (error instanceof BackupError) return new Failure(codedText(error), undefined, moreOf(error));
  if (error instanceof OptionsError) return new UsageError(error.message);
  return null;
}

/** Where to read more about a code; a server may send one that has no entry. */
function moreOf({ code }: { readonly code: string }): readonly string[] {
  const more = readMore(code);
  return more === null ? [] : [more];
}

const codedText = ({ code, message }: DiscoveryError | BackupError): string =>
  `${code}: ${message}`;

/** The code once: a reason that came with a close frame begins with it, too. */
const peerErrorText = ({ code, message }: PeerError): string =>
  `${code}: ${message.replaceAll(`(${code}: `, "(")}`;

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

/** The module is an argument of the call. */
const CALL_ERRORS: ReadonlySet<PeerErrorCode> = new Set(["handlers_not_loaded"]);

const PEER_HINTS: { readonly [Code in PeerErrorCode]?: string } = {
  mesh_key_mismatch:
    "do not join unless the operator confirms the new key; then pass it with --mesh-key",
  not_allowed: `join with a link of ${quotedCommand("join-key create")}, or have the operator run ${quotedCommand("allow PUBLIC_KEY")}`,
  join_key_invalid: "ask the operator for a new link",
  superseded: "two peers use the same key file; use a separate key file for each",
};
