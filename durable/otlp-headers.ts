import { err, ok, type Result } from "../src/base/result.ts";

/** The exporter sets these itself. */
const OWN = new Set(["content-type", "content-length", "host", "connection", "transfer-encoding"]);
const HEADERS_MAX = 20;

/**
 * Reads `name=value,name=value`, in which values may be percent-encoded, as in OpenTelemetry's `OTEL_EXPORTER_OTLP_HEADERS`. The error shows
 * no value: it may be a secret.
 */
export function readOtlpHeaders(text: string): Result<Readonly<Record<string, string>>, string> {
  const headers: Record<string, string> = {};
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  if (entries.length > HEADERS_MAX) return err(`is longer than ${HEADERS_MAX} headers`);
  for (const [index, entry] of entries.entries()) {
    const place = index + 1;
    const at = entry.indexOf("=");
    const name = entry.slice(0, Math.max(0, at)).trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~\da-z-]+$/.test(name))
      return err(`is wrong in entry ${place}: it has not the form name=value`);
    if (OWN.has(name)) return err(`is wrong in entry ${place}: the mesh sets this header itself`);
    const value = decoded(entry.slice(at + 1).trim());
    if (value === null || !/^[\t -~]*$/.test(value))
      return err(`is wrong in entry ${place}: no header can have its value`);
    headers[name] = value;
  }
  return ok(headers);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
