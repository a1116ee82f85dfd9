import type { z } from "zod";
import type { Json } from "../../base/json.ts";
import { repeatedKey } from "../../base/repeated-key.ts";
import { EventMapping } from "../../protocol/http.ts";
import { issuesOf, pathText } from "../../protocol/schema/issues.ts";
import { UsageError } from "../failure.ts";
import { readInputFile } from "../files.ts";
import { readStandardInput } from "../standard-input.ts";

type Mapping = Partial<z.input<typeof EventMapping>>;

/** The mapping of `--mapping-file`; null without it. What the mesh would refuse in it is refused here, with its path. */
export async function readMapping(values: {
  readonly "mapping-file"?: string | undefined;
}): Promise<Mapping | null> {
  const file = values["mapping-file"];
  if (file === undefined) return null;
  const text =
    file === "-"
      ? await readStandardInput("--mapping-file")
      : await readInputFile(file, "it is the --mapping-file");
  const name = file === "-" ? "stdin" : file;
  const mapping = jsonOf(text);
  if (typeof mapping !== "object" || mapping === null || Array.isArray(mapping))
    throw new UsageError(
      `${name} is not a mapping`,
      'it must be a JSON object such as {"kind": "build", "payload": {"commit": "$.after"}}',
    );
  const repeated = repeatedKey(text);
  if (repeated !== null)
    throw new UsageError(
      `${name} is not a mapping: ${pathText(repeated)} occurs twice in its object`,
      "remove one of them",
    );
  // The kind may come from an option.
  const parsed = EventMapping.safeParse({ kind: "any", ...mapping });
  if (parsed.success) return mapping;
  const [issue] = issuesOf(parsed.error, EventMapping);
  throw new UsageError(
    `${name} is not a mapping: ${issue?.path ?? ""}: ${issue?.message ?? "it is not valid"}`,
    "its form is that of `task` of a webhook source in /openapi.json",
  );
}

/** The value of a JSON text; undefined if it is none. */
export function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
