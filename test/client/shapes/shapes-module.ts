import { z } from "zod";
import { Envelope } from "../../../src/protocol/envelope.ts";
import * as http from "../../../src/protocol/http.ts";
import * as ids from "../../../src/protocol/ids.ts";
import * as messages from "../../../src/protocol/messages.ts";
import { tolerant } from "../../../src/protocol/schema/strictness.ts";
import { PeerRecord } from "../../../src/protocol/peer-record.ts";
import { ResultContent } from "../../../src/protocol/result-content.ts";
import { shapeOf } from "./make-shapes.ts";

/** The answers of the API that the SDK reads. */
const ANSWERS = [
  "AlertList",
  "AllowEntry",
  "AllowList",
  "AuditList",
  "AuthModeBody",
  "BatchView",
  "BulkView",
  "CallbackSecretView",
  "CellsView",
  "DeliveryList",
  "DeliveryView",
  "DenyList",
  "DialList",
  "DialView",
  "DiscoveryKeys",
  "DrainedMesh",
  "ImportView",
  "DryRunView",
  "EventGap",
  "EventView",
  "FailuresView",
  "JoinKeyList",
  "KindLoadView",
  "KindSettingsList",
  "KindSettingsView",
  "MeshProofView",
  "MeshView",
  "NewJoinKeyView",
  "NewTokenView",
  "PairRttView",
  "PeerList",
  "PeerReply",
  "PeerView",
  "PointerList",
  "PointerView",
  "ProblemView",
  "RefusedList",
  "RevokedPeer",
  "ScheduledPeers",
  "ScoreView",
  "StorageView",
  "StreamEnd",
  "TaskEvent",
  "TaskList",
  "TaskStats",
  "TaskView",
  "TokenList",
  "TokenView",
  "WebhookSourceList",
  "WebhookSourceView",
  "TaskTraceView",
  "WhyView",
] as const satisfies readonly (keyof typeof http)[];

/** Those that other modules have: few programs read the rest, which is loaded when it is needed. */
const LOADED_AT_ONCE: ReadonlySet<string> = new Set([
  "ProblemView",
  "TaskView",
  "MeshProofView",
  "TaskEvent",
  "EventGap",
  "EventView",
  "StreamEnd",
]);

/** The messages of a mesh that a peer reads. Go-p2p's requests have one shape: any JSON. */
const MESSAGES = [
  "ping",
  "pong",
  "welcome",
  "rejection",
  "task_offer",
  "task_return",
  "task_cancel",
  "drain",
  "task_shown",
  "sample",
  "error",
  "disconnect",
  "get_stats",
] as const satisfies readonly messages.MessageType[];

/** `task_offer` as `TaskOfferMessage`. */
function messageName(type: string): string {
  const words = type.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}Message`;
}

const HTTP: Readonly<Record<string, unknown>> = http;

/** Each schema with its name and the type of its values. */
export const SCHEMAS: readonly (readonly [name: string, schema: z.ZodType, type: string])[] = [
  // What a newer mesh adds to its answers is skipped.
  ...ANSWERS.map(
    (name) => [name, tolerant(HTTP[name] as z.ZodType), `z.output<typeof http.${name}>`] as const,
  ),
  ...MESSAGES.map(
    (type) =>
      [messageName(type), messages.PAYLOADS[type], `messages.PayloadOf<"${type}">`] as const,
  ),
  ["Identity", messages.Identity.extend({ name: ids.Name }), "messages.Identity"],
  ["HandshakeAck", messages.HandshakeAck, "z.output<typeof messages.HandshakeAck>"],
  ["Advert", messages.Advert, 'messages.PayloadOf<"advert">'],
  ["Rtts", messages.Rtts, "messages.Rtts"],
  ["IdempotencyKey", ids.IdempotencyKey, "string"],
  [
    "MeshClaim",
    // A newer mesh may speak other protocols.
    tolerant(
      http.MeshView.pick({ public_key: true }).extend({
        protocols: z.array(z.string()).optional(),
      }),
    ),
    'Pick<z.output<typeof http.MeshView>, "public_key"> & { readonly protocols?: readonly string[] }',
  ],
  ["PeerRecord", PeerRecord, "record.PeerRecord"],
  ["PeerId", ids.PeerId, "string"],
  ["ResultContent", ResultContent, "z.output<typeof result.ResultContent>"],
  ["Envelope", Envelope, "envelope.Envelope"],
];

/**
 * The modules of src/protocol/shapes with their shapes. A module has what one part of the SDK reads: bundlers keep the parts of a program in
 * files of their own, and what a module says for one of them would come with all.
 */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  ids: ["IdempotencyKey"],
  problem: ["ProblemView"],
  tasks: ["TaskView"],
  messages: [
    ...MESSAGES.map(messageName),
    "Identity",
    "HandshakeAck",
    "Advert",
    "Rtts",
    "MeshClaim",
    "Envelope",
  ],
  proof: ["MeshProofView"],
  results: ["PeerId", "ResultContent"],
  discovery: ["PeerRecord", "PointerList", "PointerView"],
  callbacks: ["TaskEvent"],
  deliveries: ["DeliveryView"],
  events: ["EventGap", "EventView", "StreamEnd"],
  answers: ANSWERS.filter((name) => !LOADED_AT_ONCE.has(name)),
};

const HEAD = `/** Made of the schemas of src/protocol by test/client/shapes/shapes.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
`;

/** What a module may import, each with the text by which it is used. */
const IMPORTS = [
  ["z.", 'import type { z } from "zod";'],
  [": Shape", 'import type { Shape, Typed } from "../../base/shape/shape.ts";'],
  ["Typed<", 'import type { Typed } from "../../base/shape/shape.ts";'],
  ["envelope.", 'import type * as envelope from "../envelope.ts";'],
  ["http.", 'import type * as http from "../http.ts";'],
  ["messages.", 'import type * as messages from "../messages.ts";'],
  ["record.", 'import type * as record from "../peer-record.ts";'],
  ["result.", 'import type * as result from "../result-content.ts";'],
] as const;

/** Shorter parts are repeated. */
const SHARED_CHARS_MIN = 50;
type Names = ReadonlyMap<string, string>;
const NONE: Names = new Map();

const isComposed = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(value instanceof RegExp);

/** A module with the shapes of these schemas. What occurs in it more than once is written once. */
export function shapesModule(chosen: readonly string[]): string {
  const shapes = SCHEMAS.filter(([name]) => chosen.includes(name)).map(([name, schema, type]) => ({
    name,
    type,
    shape: shapeOf(schema),
  }));
  const seen = new Map<string, number>();
  const count = (value: unknown): void => {
    if (!isComposed(value)) return;
    const text = literal(value, NONE);
    seen.set(text, (seen.get(text) ?? 0) + 1);
    if (seen.get(text) === 1) Object.values(value).forEach(count);
  };
  for (const { shape } of shapes) count(shape);
  const names = new Map<string, string>();
  const lines: string[] = [];
  const declare = (value: unknown): void => {
    if (!isComposed(value) || names.has(literal(value, NONE))) return;
    Object.values(value).forEach(declare);
    const text = literal(value, NONE);
    if (!("is" in value) || text.length < SHARED_CHARS_MIN || (seen.get(text) ?? 0) < 2) return;
    const name = `s${names.size}`;
    lines.push(`const ${name}: Shape = ${literal(value, names)};`);
    names.set(text, name);
  };
  for (const { name, type, shape } of shapes) {
    declare(shape);
    lines.push(`export const ${name}: Typed<${type}> = ${literal(shape, names)};`);
  }
  const code = withoutUnused(lines).join("\n");
  const used = IMPORTS.filter(([text]) => code.includes(text)).map(([, line]) => line);
  // A module without shared parts imports the type of its shapes alone.
  const imports = code.includes(": Shape")
    ? used.filter((line) => !line.includes("{ Typed }"))
    : used;
  return `${HEAD}${imports.join("\n")}\n\n${code}\n`;
}

/** A part of parts that are written once needs no name of its own. */
function withoutUnused(lines: readonly string[]): readonly string[] {
  const used = lines.filter((line, at) => {
    const name = /^const (s\d+):/.exec(line)?.[1];
    const isUsed = (later: string) => new RegExp(String.raw`\b${name}\b`).test(later);
    return name === undefined || lines.slice(at + 1).some(isUsed);
  });
  return used.length === lines.length ? used : withoutUnused(used);
}

/** The literal of a value. What has a name is that name. */
function literal(value: unknown, names: Names): string {
  if (value instanceof RegExp) return String(value);
  if (!isComposed(value)) return JSON.stringify(value);
  const inner = (one: unknown): string => {
    const name = names.size > 0 && isComposed(one) ? names.get(literal(one, NONE)) : undefined;
    return name ?? literal(one, names);
  };
  if (Array.isArray(value)) return `[${value.map(inner).join(", ")}]`;
  const fields = Object.entries(value).map(([name, one]) => `${name}: ${inner(one)}`);
  return `{ ${fields.join(", ")} }`;
}
