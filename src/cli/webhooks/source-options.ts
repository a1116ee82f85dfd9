import type { z } from "zod";
import type { Json } from "../../base/json.ts";
import { repeatedKey } from "../../base/repeated-key.ts";
import { WebhookScheme, WebhookSourceBody, type WebhookSourceView } from "../../protocol/http.ts";
import { pathText } from "../../protocol/schema/issues.ts";
import { choiceOption, countOption, numberOption, type Details, type Values } from "../args.ts";
import { UsageError } from "../failure.ts";
import { peerId } from "../identifiers.ts";
import { DELIVERY_DETAILS, DELIVERY_OPTIONS, deliveryLimitsOf } from "./delivery-options.ts";
import { readFilter } from "./filter-option.ts";
import { jsonOf } from "./mapping-file.ts";

/** A source as a request describes it, without its secrets. */
export type SourceInput = z.input<typeof WebhookSourceBody>;
export type TaskInput = SourceInput["task"];

const SCHEMES = WebhookScheme.options;
const ENCODINGS = ["hex", "base64"] as const;
const ROLES = ["worker", "dual"] as const;

/** The options of `create` and `update` that say what a source does, except for its secrets. */
export const SOURCE_OPTIONS = {
  scheme: { type: "string" },
  "signature-header": { type: "string" },
  "signature-encoding": { type: "string" },
  "signature-prefix": { type: "string" },
  kind: { type: "string" },
  payload: { type: "string" },
  "payload-path": { type: "string" },
  default: { type: "string", multiple: true },
  "mapping-file": { type: "string" },
  filter: { type: "string", multiple: true },
  capability: { type: "string", multiple: true },
  peer: { type: "string" },
  role: { type: "string" },
  "min-score": { type: "string" },
  priority: { type: "string" },
  deadline: { type: "string" },
  attempts: { type: "string" },
  lease: { type: "string" },
  callback: { type: "string" },
  ...DELIVERY_OPTIONS,
} as const;

export const SOURCE_DETAILS: Details = [
  ["--scheme SCHEME", `how deliveries are signed: ${SCHEMES.join(", ")}`],
  ["--kind KIND", "the kind of the tasks: a word, or a JSON path into the event such as $.type"],
  ["--payload-path PATH", "the part of the event that is the payload; default: $, all of it"],
  ["--payload JSON", `a payload whose texts may be paths: '{"commit":"$.after"}'`],
  ["--default PATH=JSON", "the value for a path that selects nothing; repeatable"],
  ["--filter FILTER", "only these events; repeatable, all must hold: header:NAME=VALUE,"],
  ["", "header:NAME~PATTERN, PATH=VALUE, PATH~PATTERN; VALUE may be a JSON array of values"],
  ["--mapping-file FILE", "the mapping as JSON, as `task` of the HTTP API; options change it"],
  ["--capability LABEL", "the peer must have this capability; repeatable"],
  ["--peer ID", "only this peer may run the tasks"],
  ["--role ROLE", `only peers of this role (${ROLES.join(", ")})`],
  ["--min-score SCORE", "only peers with at least this score, 0 to 1"],
  ["--priority N", "a higher priority runs first"],
  ["--deadline SECONDS", "a task expires if it has not ended after this time"],
  ["--attempts N", "how often a task may fail before it has failed for good"],
  ["--lease SECONDS", "how long a peer may be silent before another one gets the task"],
  ["--callback URL", "is told when a task ends"],
  ["--signature-header NAME", "the header of the signature, for hmac and stripe"],
  ["--signature-encoding E", `how it is encoded (${ENCODINGS.join(", ")}), for hmac; default: hex`],
  ["--signature-prefix TEXT", "what is before the signature in that header, such as sha256="],
  ...DELIVERY_DETAILS,
];

/** The options of `update` that remove what a source has. */
export const REMOVAL_OPTIONS = {
  "no-filters": { type: "boolean" },
  "no-defaults": { type: "boolean" },
  "no-requirements": { type: "boolean" },
  "no-callback": { type: "boolean" },
} as const;

export const REMOVAL_DETAILS: Details = [
  ["--no-filters", "remove the filters; with --filter: replace them, as --filter alone does"],
  ["--no-defaults", "remove the defaults; with --default: replace them"],
  ["--no-requirements", "remove what the peer must meet; with --capability and so on: replace it"],
  ["--no-callback", "remove the callback"],
];

type SourceValues = Values<typeof SOURCE_OPTIONS>;

/** Refuses to remove what another option gives. */
export function expectRemovals(values: SourceValues & Values<typeof REMOVAL_OPTIONS>): void {
  if (values["no-callback"] === true && values.callback !== undefined)
    throw new UsageError("--callback and --no-callback exclude each other", "pass one of them");
  const removal = (["no-defaults", "no-requirements", "no-callback"] as const).find(
    (name) => values[name] === true,
  );
  if (removal !== undefined && values["mapping-file"] !== undefined)
    throw new UsageError(
      `--${removal} has no effect, because --mapping-file replaces the whole mapping`,
      `leave --${removal} out`,
    );
}

/** A source without what the options remove. */
export function without(input: SourceInput, values: Values<typeof REMOVAL_OPTIONS>): SourceInput {
  const { defaults, requirements, callback, ...task } = input.task;
  return {
    ...input,
    ...(values["no-filters"] === true && { filters: [] }),
    task: {
      ...task,
      ...(values["no-defaults"] !== true && defaults !== undefined && { defaults }),
      ...(values["no-requirements"] !== true && requirements !== undefined && { requirements }),
      ...(values["no-callback"] !== true && callback !== undefined && { callback }),
    },
  };
}

/** What a source has now, as a request would describe it. Its secrets stay as they are. */
export function inputOf(view: WebhookSourceView): SourceInput {
  const { name: _, secrets: __, created_at: ___, deliveries: ____, signature, ...rest } = view;
  return { ...rest, ...(signature !== null && { signature }) };
}

/**
 * The source that the options describe. `mapping`: of a file; null if none is given. `before`: what the source is now; an option that is
 * absent changes nothing of that.
 */
export function sourceOf(
  values: SourceValues,
  mapping: Partial<TaskInput> | null,
  before: SourceInput | null,
): SourceInput {
  const scheme = choiceOption("scheme", values.scheme, SCHEMES) ?? before?.scheme;
  if (scheme === undefined)
    throw new UsageError(
      "--scheme is missing: how the sender signs its deliveries",
      `it is one of ${SCHEMES.join(", ")}`,
    );
  const signature = signatureOf(values, scheme, before);
  const filters = values.filter?.map(readFilter) ?? before?.filters;
  const input = {
    ...before,
    scheme,
    signature,
    task: taskOf(values, mapping ?? before?.task ?? {}),
    ...(filters !== undefined && { filters }),
    ...deliveryLimitsOf(values),
  };
  return checked(input);
}

/** The options whose values the schema checks, by the places that its issues name. */
const OPTION_OF: readonly (readonly [RegExp, string])[] = [
  [/^task\.kind/, "--kind"],
  [/^task\.payload/, "--payload"],
  [/^task\.defaults/, "--default"],
  [/^task\.requirements\.capabilities/, "--capability"],
  [/^task\.requirements\.peer_id/, "--peer"],
  [/^task\.requirements\.min_score/, "--min-score"],
  [/^task\.priority/, "--priority"],
  [/^task\.deadline_seconds/, "--deadline"],
  [/^task\.max_attempts/, "--attempts"],
  [/^task\.lease_seconds/, "--lease"],
  [/^task\.callback/, "--callback"],
  [/^task/, "--mapping-file"],
  [/^filters/, "--filter"],
  [/^signature/, "--signature-header"],
  [/^max_bytes/, "--max-bytes"],
  [/^max_body_bytes/, "--max-body-bytes"],
  [/^identity\.bucket/, "--identity-bucket"],
  [/^identity/, "--identity-path"],
];

/** The source, if it has the form that the mesh accepts; else the error names the option. */
function checked(input: SourceInput): SourceInput {
  const parsed = WebhookSourceBody.safeParse(input);
  if (parsed.success) return input;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  const option = OPTION_OF.find(([pattern]) => pattern.test(place))?.[1] ?? place;
  throw new UsageError(`${option} is not valid: ${issue?.message ?? "unknown"} (${place})`);
}

function signatureOf(
  values: SourceValues,
  scheme: SourceInput["scheme"],
  before: SourceInput | null,
): SourceInput["signature"] {
  const encoding = choiceOption("signature-encoding", values["signature-encoding"], ENCODINGS);
  const prefix = values["signature-prefix"];
  // A header of another scheme means nothing to this one.
  const kept = before?.scheme === scheme ? before.signature : undefined;
  const header = values["signature-header"] ?? kept?.header;
  if (header === undefined) {
    if (encoding === undefined && prefix === undefined) return undefined;
    throw new UsageError(
      "--signature-encoding and --signature-prefix describe a header that is not named",
      "name it with --signature-header",
    );
  }
  return {
    ...kept,
    header,
    ...(encoding !== undefined && { encoding }),
    ...(prefix !== undefined && { prefix }),
  };
}

function taskOf(values: SourceValues, base: Partial<TaskInput>): TaskInput {
  const kind = values.kind ?? base.kind;
  if (kind === undefined)
    throw new UsageError(
      "--kind is missing: the kind of the tasks that events become",
      "pass a word such as build, or a JSON path into the event such as $.type",
    );
  const priority = numberOption("priority", values.priority);
  const deadline = numberOption("deadline", values.deadline);
  const attempts = countOption("attempts", values.attempts);
  const lease = numberOption("lease", values.lease);
  return {
    ...base,
    kind,
    ...payloadOf(values),
    ...defaultsOf(values, base),
    ...requirementsOf(values, base),
    ...(priority !== undefined && { priority }),
    ...(deadline !== undefined && { deadline_seconds: deadline }),
    ...(attempts !== undefined && { max_attempts: attempts }),
    ...(lease !== undefined && { lease_seconds: lease }),
    ...(values.callback !== undefined && { callback: { url: values.callback } }),
  };
}

function payloadOf(values: SourceValues): { readonly payload?: Json } {
  const { payload, "payload-path": path } = values;
  if (payload !== undefined && path !== undefined)
    throw new UsageError("--payload and --payload-path exclude each other", "pass one of them");
  if (path !== undefined) {
    if (path.startsWith("$") && !path.startsWith("$$")) return { payload: path };
    throw new UsageError(
      `--payload-path must be a JSON path into the event, not "${path}"`,
      "write $ for all of it, or for example $.data",
    );
  }
  if (payload === undefined) return {};
  const value = jsonOf(payload);
  if (value === undefined)
    throw new UsageError("--payload is not JSON", `for one path use --payload-path`);
  const repeated = repeatedKey(payload);
  if (repeated !== null)
    throw new UsageError(`--payload: ${pathText(repeated)} occurs twice in its object`);
  return { payload: value };
}

function defaultsOf(values: SourceValues, base: Partial<TaskInput>): Pick<TaskInput, "defaults"> {
  if (values.default === undefined) return {};
  return { defaults: { ...base.defaults, ...Object.fromEntries(values.default.map(defaultOf)) } };
}

/** A path and its value. The path may contain `=` itself, in a quoted name. */
function defaultOf(text: string): [string, Json] {
  for (let at = text.indexOf("="); at > 0; at = text.indexOf("=", at + 1)) {
    const value = jsonOf(text.slice(at + 1));
    if (value !== undefined) return [text.slice(0, at), value];
  }
  throw new UsageError(
    `--default must have the form PATH=JSON, not "${text}"`,
    `for example '$.data.priority=0' or '$.branch="main"'`,
  );
}

function requirementsOf(
  values: SourceValues,
  base: Partial<TaskInput>,
): Pick<TaskInput, "requirements"> {
  const { capability, peer } = values;
  const role = choiceOption("role", values.role, ROLES);
  const minScore = numberOption("min-score", values["min-score"]);
  if ([capability, peer, role, minScore].every((given) => given === undefined)) return {};
  return {
    requirements: {
      ...base.requirements,
      ...(capability !== undefined && { capabilities: capability }),
      ...(peer !== undefined && { peer_id: peerId(peer, "--peer") }),
      ...(role !== undefined && { role }),
      ...(minScore !== undefined && { min_score: minScore }),
    },
  };
}
