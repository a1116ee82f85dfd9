import { jsonFlaw } from "../base/json-text/flaw.ts";
import { isJson } from "../base/json-text/scan-json.ts";
import { JsonText } from "../client/index.ts";
import { VALUE_DEPTH_MAX } from "../protocol/task-limits.ts";
import { UsageError } from "./failure.ts";
import { readStandardInput } from "./standard-input.ts";

/** The payload of a task or a request, exactly as it was typed; `-` reads it from stdin, and none is null. */
export async function readPayload(argument: string | undefined): Promise<JsonText> {
  if (argument === undefined) return new JsonText("null");
  const source = argument === "-" ? await readStandardInput("PAYLOAD") : argument;
  const text = source.trim();
  const flaw = jsonFlaw(text, "PAYLOAD", VALUE_DEPTH_MAX);
  if (flaw === null) return new JsonText(text);
  if (!isJson(text))
    throw new UsageError(
      `PAYLOAD is not JSON: ${flaw.message}`,
      `a JSON string needs its quotes: '"like this"'`,
    );
  throw new UsageError(`${flaw.path} can't be sent: ${flaw.message}`);
}
