import { failureOfError } from "../client/connection/connect-failure.ts";
import type { MusterApiError } from "../client/index.ts";
import { systemRemedy } from "./system-codes.ts";

/** Why a request had no answer, where the system tells it. */
export interface Unanswered {
  /** The code of the system or of TLS. */
  readonly systemCode?: string | undefined;
  readonly hint?: string | undefined;
}

/** What the hint about a mesh that does not run says better. */
const MAY_NOT_RUN: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

const TLS_HINT =
  "check that the URL is that of a mesh with TLS; a certificate of your own is trusted if NODE_EXTRA_CA_CERTS names its file";

export function whyUnanswered({ code, cause }: MusterApiError): Unanswered {
  if (code !== "unreachable") return {};
  const { code: kind, systemCode } = failureOfError("", cause, 0);
  if (kind === "tls_failed") return { systemCode, hint: TLS_HINT };
  if (systemCode === undefined || MAY_NOT_RUN.has(systemCode)) return { systemCode };
  return { systemCode, hint: systemRemedy(systemCode) };
}
