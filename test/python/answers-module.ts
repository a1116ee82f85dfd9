import { z } from "zod";
import * as discovery from "../../src/protocol/discovery.ts";
import * as http from "../../src/protocol/http.ts";
import { PeerRecord } from "../../src/protocol/peer-record.ts";
import { ResultContent } from "../../src/protocol/result-content.ts";
import { tolerant } from "../../src/protocol/schema/strictness.ts";
import { shapeOf } from "../client/shapes/make-shapes.ts";
import { aliasText, defaultOf, docstring, literals, orNone, wrapped } from "./python-text.ts";

/*
 * The answers of the API as frozen dataclasses of Python. What a schema says is in its `_zod.def`, for which the library has no types that
 * would hold here.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-argument, typescript/no-unsafe-call */
type Def = Record<string, any>;
const defOf = (schema: unknown): Def => (schema as { _zod: { def: Def } })._zod.def;

const EXPORTS: Readonly<Record<string, unknown>> = {
  ...http,
  ...discovery,
  PeerRecord,
  ResultContent,
};

/** The modules of `muster._answers`, each with the schemas of the answers that it holds. A class is in the first module that needs it. */
const PYTHON_MODULES: Readonly<Record<string, readonly string[]>> = {
  mesh: ["ProblemView", "MeshView", "MeshProofView", "StorageView", "DrainedMesh", "AuthModeBody"],
  imports: ["ImportView"],
  callbacks: ["CallbackView", "CallbackSecretView"],
  tasks: ["TaskView", "TaskSummary", "TaskList", "BatchView"],
  bulk: ["BulkView", "FailuresView"],
  admission: [
    "AllowEntry",
    "AllowList",
    "DenyList",
    "TokenView",
    "NewTokenView",
    "TokenList",
    "JoinKeyList",
    "NewJoinKeyView",
    "AuditList",
  ],
  kinds: ["KindSettingsView", "KindSettingsList", "KindLoadView", "TaskStats"],
  peers: ["PeerView", "PeerList", "RevokedPeer", "PairRttView", "PeerReply"],
  scores: ["ScoreView"],
  choices: ["WhyView"],
  traces: ["TaskTraceView"],
  dials: ["DialView", "DialList"],
  alerts: ["AlertView", "AlertList"],
  cells: ["CellsView", "CellView"],
  events: ["EventView", "EventGap", "StreamEnd"],
  discovery: ["DiscoveryKeys", "PointerView", "PointerList", "PeerRecord"],
  deliveries: ["DeliveryView", "DeliveryList", "RefusedList", "DryRunView"],
  webhooks: ["WebhookSourceView", "WebhookSourceList"],
  task_events: ["TaskEvent"],
};

/** Names in Python that differ from those of the schemas: those of the types of the SDK in TypeScript. */
const RENAMED: Readonly<Record<string, string>> = {
  TaskView: "Task",
  TaskTraceView: "TaskTrace",
  TaskEvent: "CallbackEvent",
  DryRunView: "DryRun",
  PeerReply: "PeerAnswer",
  "TaskEvent.data": "CallbackTask",
  "Requirements.near.0": "NearPlace",
  "Requirements.near.1": "NearPeer",
  "BatchView.results.0": "SubmittedTask",
  "BatchView.results.1": "RefusedTask",
  "DryRunView.task": "MappedTask",
  "DryRunView.filters": "DryRunFilter",
  "EventView.4": "AlertEventView",
  "FailureGroup.peers": "FailingPeer",
  "ListedTotals.epochs": "ListedEpoch",
  "ProblemView.issues": "ProblemIssue",
  "RefusedList.unknown_sources": "UnknownSources",
  "ScoreView.service_times": "ServiceTime",
  "StorageView.owners": "OwnerBytes",
  "TaskStats.kinds": "KindStats",
  "TaskStats.owners": "OwnerStats",
};

/** Fields that authorize: a `repr` does not show them. */
const SECRETS: ReadonlySet<string> = new Set([
  "NewTokenView.token",
  "NewJoinKeyView.key",
  "NewJoinKeyView.link",
  "EpochKeys.private_key",
  "EpochKeys.pointer_secret",
  "CallbackSecretView.secret",
  "CallbackSecretPrevious.secret",
]);

const HEAD = `"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

`;

/** A class: where it is, and the types that its text uses. */
interface Written {
  readonly name: string;
  readonly module: string;
  readonly text: string;
}

const signatureOf = (schema: unknown): string =>
  JSON.stringify(shapeOf(tolerant(schema as z.ZodType)), (_, value: unknown) =>
    value instanceof RegExp ? String(value) : value,
  );

const isObject = (schema: unknown): boolean => defOf(schema)["type"] === "object";

/** The exported schemas of objects by what they accept: a schema that was copied has the name of its original. */
const EXPORTED: ReadonlyMap<string, string> = new Map(
  Object.entries(EXPORTS)
    .filter(([, schema]) => schema instanceof z.ZodType && isReadable(schema) && isObject(schema))
    .toReversed()
    .map(([name, schema]) => [signatureOf(schema), name]),
);

/** The module of the named enumerations. */
const NAMES = "names";

const ENUMS: ReadonlyMap<string, string> = new Map(
  Object.entries(EXPORTS)
    .filter(([, schema]) => schema instanceof z.ZodType && defOf(schema)["type"] === "enum")
    .map(([name, schema]) => [literals(Object.values(defOf(schema)["entries"] as object)), name]),
);

/** Whether shapes can say what the schema says. Queries and some requests have more. */
function isReadable(schema: unknown): boolean {
  try {
    return signatureOf(schema) !== "";
  } catch {
    return false;
  }
}

/** The text of each module, and the names that it defines. */
export function pythonModules(): ReadonlyMap<string, string> {
  const writer = new Writer();
  const roots = new Map<string, string[]>();
  for (const [module, names] of Object.entries(PYTHON_MODULES)) {
    writer.module = module;
    roots.set(
      module,
      names.flatMap((name) => writer.root(name)),
    );
  }
  return new Map(
    [NAMES, ...Object.keys(PYTHON_MODULES)].map((module) => [
      module,
      moduleText(module, writer.written, roots.get(module) ?? []),
    ]),
  );
}

class Writer {
  module = "";
  readonly written: Written[] = [];
  readonly #bySignature = new Map<string, string>();

  /** Writes the class of an exported schema; returns the alias of one that is no object. */
  root(name: string): string[] {
    const schema = EXPORTS[name];
    if (isObject(schema)) this.#classOf(schema, name);
    else return [aliasText(name, this.#typeOf(schema, name))];
    return [];
  }

  /** An enumeration that has a name is an alias in a module of its own. */
  #enumOf(values: readonly unknown[]): string {
    const type = literals(values);
    const name = ENUMS.get(type);
    if (name === undefined) return type;
    if (!this.written.some((each) => each.name === name))
      this.written.push({ name, module: NAMES, text: aliasText(name, type) });
    return name;
  }

  #classOf(schema: unknown, path: string): string {
    const signature = signatureOf(schema);
    const known = this.#bySignature.get(signature);
    if (known !== undefined) return known;
    const schemaName = RENAMED[path] === undefined ? (EXPORTED.get(signature) ?? path) : path;
    const name =
      RENAMED[schemaName] ??
      (schemaName.includes(".") ? (idOf(schema) ?? joined(schemaName)) : schemaName);
    this.#bySignature.set(signature, name);
    const shape = defOf(schema)["shape"] as Record<string, unknown>;
    const fields = Object.entries(shape).flatMap(([field, inner]) =>
      this.#field(schemaName.includes(".") ? name : schemaName, field, inner),
    );
    const doc = docOf(schema) ?? DOCS[name] ?? `\`${schemaName}\` of the API.`;
    const text = `@dataclass(frozen=True, slots=True, kw_only=True)\nclass ${name}:\n${docstring(doc, 4)}\n${fields.join("")}`;
    this.written.push({ name, module: this.module, text });
    return name;
  }

  #field(owner: string, field: string, schema: unknown): string {
    const secret = SECRETS.has(`${owner}.${field}`) ? ["repr=False"] : [];
    const { type, by } = this.#fieldType(schema, `${owner}.${field}`);
    const options = [...(by === undefined ? [] : [defaultOf(by)]), ...secret];
    const value =
      options.length === 0
        ? ""
        : options.length === 1 && options[0]?.startsWith("default=") === true
          ? ` = ${options[0].slice("default=".length)}`
          : ` = field(${options.join(", ")})`;
    const doc = docOf(schema);
    const line = wrapped(`    ${field}: ${type}${value}\n`);
    const described = doc === undefined ? line : `${line}${docstring(doc, 4)}`;
    if (!isExact(schema)) return described;
    const text = docstring(`\`${field}\` exactly as it was written.`, 4);
    return `${described}    ${field}_text: str = "null"\n${text}`;
  }

  /** The type of a field, and what it is when it is absent. */
  #fieldType(schema: unknown, path: string): { readonly type: string; readonly by?: unknown } {
    const def = defOf(schema);
    switch (def["type"]) {
      case "optional": {
        const inner = this.#fieldType(def["innerType"], path);
        if (inner.by !== undefined) return inner;
        return { type: orNone(inner.type), by: null };
      }
      case "default":
        return { type: this.#fieldType(def["innerType"], path).type, by: def["defaultValue"] };
      case "prefault": {
        const { type, by } = this.#fieldType(def["innerType"], path);
        return { type, by: by ?? def["defaultValue"] };
      }
      case "nonoptional": {
        const inner = defOf(def["innerType"])["innerType"] as unknown;
        const { type } = this.#fieldType(inner, path);
        return isJson(inner) ? { type, by: null } : { type };
      }
      case "pipe":
        if (isJson(schema)) return { type: "Any", by: null };
        return { type: this.#typeOf(schema, path) };
      default:
        return { type: this.#typeOf(schema, path) };
    }
  }

  #typeOf(schema: unknown, path: string): string {
    const def = defOf(schema);
    switch (def["type"]) {
      case "unknown":
        return "Any";
      case "null":
        return "None";
      case "boolean":
        return "bool";
      case "string":
        return "str";
      case "number":
        return (shapeOf(schema) as { readonly int?: true }).int === true ? "int" : "float";
      case "literal":
        return literals(def["values"]);
      case "enum":
        return this.#enumOf(Object.values(def["entries"]));
      case "array":
        return `tuple[${this.#typeOf(def["element"], path)}, ...]`;
      case "record":
        return `Mapping[str, ${this.#typeOf(def["valueType"], path)}]`;
      case "object":
        return this.#classOf(schema, path);
      case "union":
        return (def["options"] as unknown[])
          .map((option, index) => this.#typeOf(option, `${path}.${index}`))
          .filter((type, _, all) => !type.startsWith("Literal") || !all.includes("str"))
          .join(" | ");
      case "nullable":
        return orNone(this.#typeOf(def["innerType"], path));
      case "optional":
      case "default":
      case "prefault":
      case "catch":
        return this.#typeOf(def["innerType"], path);
      case "pipe":
        return isJson(schema) ? "Any" : this.#typeOf(def["in"], path);
      default:
        throw new Error(`Python's answers can't say ${String(def["type"])} (${path})`);
    }
  }
}

const changeOf = (schema: unknown): unknown =>
  defOf(schema)["type"] === "pipe" ? (shapeOf(schema) as { readonly to?: unknown }).to : undefined;
const isJson = (schema: unknown): boolean => ["json", "exact"].includes(changeOf(schema) as string);

/** Whether the value keeps its text. */
function isExact(schema: unknown): boolean {
  const def = defOf(schema);
  return def["type"] === "pipe"
    ? changeOf(schema) === "exact"
    : def["innerType"] !== undefined && isExact(def["innerType"]);
}

const idOf = (schema: unknown): string | undefined => z.globalRegistry.get(schema as z.ZodType)?.id;

const joined = (path: string): string => {
  const [first = "", ...rest] = path.split(".");
  const words = rest
    .filter((step) => !/^\d+$/.test(step))
    .flatMap((step) => step.split("_"))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return first.replace(/View$/, "") + words.join("");
};

function docOf(schema: unknown): string | undefined {
  const own = z.globalRegistry.get(schema as z.ZodType)?.description;
  if (own !== undefined || isObject(schema)) return own;
  const { innerType } = defOf(schema);
  return innerType === undefined ? undefined : docOf(innerType);
}

/** Classes whose schemas have no description. */
const DOCS: Readonly<Record<string, string>> = {
  Task: "A task as the mesh shows it. `result` is None until the task has succeeded, and while the result must be fetched (`result_url`).",
  TaskSummary: "A task in a list, without its large fields and lists.",
  CallbackEvent: "The event of a callback: a task has ended.",
  PeerView: "A peer as the mesh knows it.",
};

function moduleText(module: string, written: readonly Written[], aliases: readonly string[]) {
  const own = written.filter((each) => each.module === module);
  const classes = own.filter(({ text }) => text.startsWith("@"));
  const names = [
    ...own.filter((each) => !classes.includes(each)).map(({ text }) => text),
    ...aliases,
  ];
  const body = [
    ...classes.map(({ text }) => text),
    ...(names.length === 0 ? [] : [names.join("")]),
  ].join("\n\n");
  const used = (name: string): boolean => new RegExp(String.raw`\b${name}\b`).test(body);
  const dataclass = !body.includes("@dataclass")
    ? []
    : ["dataclass", ...(/\bfield\(/.test(body) ? ["field"] : [])];
  const typing = ["Any", "Literal", "TypeAlias"].filter(used);
  const standard = [
    ...(used("Mapping") ? ["from collections.abc import Mapping"] : []),
    ...(dataclass.length === 0 ? [] : [`from dataclasses import ${dataclass.join(", ")}`]),
    ...(typing.length === 0 ? [] : [`from typing import ${typing.join(", ")}`]),
  ];
  const others = new Map<string, string[]>();
  for (const { name, module: home } of written)
    if (home !== module && used(name)) others.set(home, [...(others.get(home) ?? []), name]);
  const local = [...others]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([home, imported]) => `from muster._answers.${home} import ${imported.toSorted().join(", ")}`,
    );
  const imports = [...standard, "", ...local].join("\n").trim();
  return `${HEAD}${imports}\n\n${classes.length === 0 ? "" : "\n"}${body}`;
}
