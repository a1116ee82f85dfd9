import { UsageError } from "../../src/cli/failure.ts";
import { redactUrl } from "../../src/base/redact.ts";

/** The value of a setting, and where it was set: what an error names, so that the user knows what to change. */
export interface GivenSetting {
  readonly value: string;
  /** `--port`, `the variable MUSTER_PORT`, `port in line 3 of muster.toml`. */
  readonly source: string;
}

/** Settings by their names. */
export type GivenSettings = Readonly<Record<string, GivenSetting>>;

const SHOWN_CHARS_MAX = 100;
/** The keys of a mesh, and tokens: somebody may have written one into the wrong setting. */
const SECRET_LIKE = /[0-9a-f]{32,}|[A-Za-z0-9+/_-]{43,}={0,2}/gi;

/** A value as an error shows it. A path may be long and is no secret. */
function shownValue(value: string): string {
  const text = /^[~./\\]/.test(value) ? value : redactUrl(value).replaceAll(SECRET_LIKE, "…");
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

/** The error of a setting whose value is not allowed: where it was set, what is allowed, its value, and if that is not plain, which part is wrong. */
export function settingFault(
  { value, source }: GivenSetting,
  allowed: string,
  reason?: string,
): UsageError {
  const why = reason === undefined ? "" : ` (${reason})`;
  return new UsageError(`${source} must be ${allowed}, not "${shownValue(value)}"${why}`);
}
