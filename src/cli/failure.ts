import {
  MusterApiError,
  OptionsError,
  PeerError,
  TaskFailed,
  WaitTimeout,
  type PeerErrorCode,
} from "../client/index.ts";
import { Stopped } from "./signals.ts";

/** An error that the user can act on: one line with what is wrong, and a hint what to do. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: number = 1;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The command line is invalid. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

/** The text for the user and the exit code. An unexpected error is a bug, so its text is the stack. */
export function describeError(error: unknown): {
  readonly text: string;
  readonly exitCode: number;
} {
  const failure = toFailure(error);
  if (failure === null) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { text: `unexpected error: ${text}`, exitCode: 1 };
  }
  const { message, hint, exitCode } = failure;
  return { text: hint === undefined ? message : `${message}; ${hint}`, exitCode };
}

type DescribedFailure = Pick<Failure, "message" | "exitCode"> & {
  readonly hint?: string | undefined;
};

function toFailure(error: unknown): DescribedFailure | null {
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
      return "check that the mesh is running; `muster start` starts one in this folder";
    case "unauthorized":
      return "pass a token with --token or MUSTER_TOKEN";
    case "invalid_response":
      return "check that the URL is that of a mesh";
    default:
      return retryAfter === undefined ? undefined : `try again in ${retryAfter} s`;
  }
}

const PEER_HINTS: { readonly [Code in PeerErrorCode]?: string } = {
  mesh_key_mismatch:
    "do not join unless the operator confirms the new key; then pass it with --mesh-key",
  not_allowed: "the operator can add it to the allowlist with `muster allow PUBLIC_KEY`",
  join_key_invalid: "ask the operator for a new link",
  superseded: "two peers use the same key file; use a separate key file for each",
};
