import {
  MusterApiError,
  OptionsError,
  PeerError,
  TaskFailed,
  WaitTimeout,
  type PeerErrorCode,
} from "../client/index.ts";
import { Stopped } from "./signals.ts";

/** Something went wrong that the user can understand: one line of what, and what to do about it. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: number = 1;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The command line itself is wrong. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

/** What the user is told of an error, and the exit code. Anything unexpected shows its stack: it is a bug. */
export function explain(error: unknown): { readonly text: string; readonly exitCode: number } {
  const failure = failureOf(error);
  if (failure === null) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { text: `unexpected: ${text}`, exitCode: 1 };
  }
  const { message, hint, exitCode } = failure;
  return { text: hint === undefined ? message : `${message}; ${hint}`, exitCode };
}

type Explained = Pick<Failure, "message" | "exitCode"> & { readonly hint?: string | undefined };

function failureOf(error: unknown): Explained | null {
  if (error instanceof Failure || error instanceof Stopped) return error;
  if (error instanceof MusterApiError) return new Failure(error.message, apiHint(error));
  if (error instanceof PeerError)
    return new Failure(`${error.code}: ${error.message}`, PEER_HINTS[error.code]);
  if (error instanceof TaskFailed || error instanceof WaitTimeout)
    return new Failure(error.message);
  if (error instanceof OptionsError) return new UsageError(error.message);
  return null;
}

function apiHint({ code, retryAfter }: MusterApiError): string | undefined {
  switch (code) {
    case "unreachable":
      return "is the mesh running? `muster start` starts one here";
    case "unauthorized":
      return "give a token with --token or MUSTER_TOKEN";
    case "invalid_response":
      return "is this the URL of a mesh?";
    default:
      return retryAfter === undefined ? undefined : `try again in ${retryAfter} s`;
  }
}

const PEER_HINTS: { readonly [Code in PeerErrorCode]?: string } = {
  mesh_key_mismatch:
    "do not join unless the mesh's owner confirms its new key (then give it with --mesh-key)",
  not_allowed: "the operator can let it in with `muster allow PUBLIC_KEY`",
  join_key_invalid: "ask the operator for a new link",
  superseded: "two peers use one key file: give each its own",
};
