import { redactUrl } from "../../base/redact.ts";
import { MusterApiError } from "../errors.ts";
import { DiscoveryError } from "./discovery-error.ts";

/** Why one source's answer could not be used. */
export interface SourceFailure {
  readonly url: string;
  readonly error: unknown;
}

/** Whether a source does not work at the moment, rather than having refused this request. */
export const isOutage = (error: unknown): boolean =>
  !(error instanceof DiscoveryError) &&
  (!(error instanceof MusterApiError) || error.status === 0 || error.status >= 500);

/**
 * The error of a request that no source answered: that of the source, or with several one that names each. A refused token comes first,
 * because with new keys the request can succeed; otherwise it has the code of the last source.
 */
export function sourcesError(failures: readonly SourceFailure[]): MusterApiError | DiscoveryError {
  const errors = failures.map(({ url, error }) => typedError(url, error));
  const chosen =
    errors.find((error) => error instanceof MusterApiError && error.status === 401) ??
    errors.at(-1) ??
    new MusterApiError("unreachable", 0, "there is no source");
  if (errors.length < 2) return chosen;
  const detail = failures
    .map(({ url }, index) => `${redactUrl(url)}: ${detailOf(errors[index])}`)
    .join("; ");
  if (chosen instanceof DiscoveryError) return new DiscoveryError({ code: chosen.code, detail });
  const { code, status, retryAfter } = chosen;
  return new MusterApiError(code, status, detail, { retryAfter, cause: chosen });
}

const detailOf = (error: MusterApiError | DiscoveryError | undefined): string =>
  error instanceof MusterApiError ? error.message : `${error?.code}: ${error?.message}`;

/** A connection that breaks within an answer is reported by the platform's own error. */
function typedError(url: string, error: unknown): MusterApiError | DiscoveryError {
  if (error instanceof MusterApiError || error instanceof DiscoveryError) return error;
  const detail = `${redactUrl(url)} broke off its answer`;
  return new MusterApiError("unreachable", 0, detail, { cause: error });
}
