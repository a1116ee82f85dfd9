/** The HTTP API's shapes: JSON in snake_case, times in RFC 3339, keys in hex. OpenAPI is made from these schemas. */
import { z } from "zod";
import {
  LEASE_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  TASK_ATTEMPTS_DEFAULT,
  TASK_ATTEMPTS_MAX,
  TASK_DEADLINE_DEFAULT,
  TASK_DEADLINE_MAX,
  LEASE_DEFAULT,
  WAIT_SECONDS_MAX,
} from "./constants.ts";
import { Name, OpaqueId, PeerId, PublicKeyHex, Slug, Uuid } from "./ids.ts";
import { Capabilities, Role, TaskKind } from "./messages.ts";
import { JsonValue } from "./envelope.ts";

const Time = z.iso.datetime().meta({ description: "RFC 3339, UTC" });

export const PEER_STATES = [
  "discovered",
  "active",
  "suspect",
  "stale",
  "evicted",
  "revoked",
] as const;
export const PeerState = z.enum(PEER_STATES);
export type PeerState = z.infer<typeof PeerState>;

export const PROTOCOLS = ["go-p2p/1.0", "muster/2"] as const;
export const Protocol = z.enum(PROTOCOLS);
export type Protocol = z.infer<typeof Protocol>;

export const PeerView = z
  .object({
    id: PeerId,
    name: Name,
    public_key: PublicKeyHex,
    address: z
      .string()
      .meta({ description: "Where the peer last connected from; empty when unknown" }),
    role: Role,
    added_at: Time,
    last_seen: Time.nullable(),
    ping_ms: z
      .number()
      .nullable()
      .meta({ description: "Smoothed round-trip time in milliseconds" }),
    hops: z.number().nullable(),
    geo_km: z
      .number()
      .nullable()
      .meta({ description: "Great-circle distance to the mesh in kilometres" }),
    score: z.number().min(0).max(1).meta({ description: "0.0 worst to 1.0 best" }),
    confidence: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: "Share of the score's weight that rests on measurements" }),
    connected: z.boolean(),
    state: PeerState,
    protocol: Protocol.nullable(),
    capabilities: Capabilities,
    slots: z.int(),
    tasks: z.int().meta({ description: "Attempts that the peer holds now" }),
    successes: z.int(),
    failures: z.int(),
  })
  .meta({ id: "Peer" });
export type PeerView = z.infer<typeof PeerView>;

export const AUTH_MODES = ["open", "allowlist"] as const;
export const AuthMode = z.enum(AUTH_MODES);
export type AuthMode = z.infer<typeof AuthMode>;
export const AuthModeBody = z.object({ mode: AuthMode }).meta({ id: "AuthMode" });

export const AllowBody = z
  .object({
    label: z.string().max(200).default("").meta({ description: "For people" }),
    roles: z
      .array(Role)
      .min(1)
      .max(3)
      .default(["worker"])
      .meta({ description: "Roles that the peer may have" }),
    readmit: z.boolean().default(false).meta({
      description: "Lifts a revocation of this key; without it, allowing a revoked key is refused",
    }),
  })
  .meta({ id: "AllowRequest" });
export type AllowBody = z.infer<typeof AllowBody>;
export const AllowEntry = z
  .object({
    public_key: PublicKeyHex,
    peer_id: PeerId,
    label: z.string(),
    roles: z.array(Role),
    added_at: Time,
  })
  .meta({ id: "AllowlistEntry" });
export type AllowEntry = z.infer<typeof AllowEntry>;

export const TASK_STATES = [
  "queued",
  "leased",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "expired",
] as const;
export const TaskState = z.enum(TASK_STATES);
export type TaskState = z.infer<typeof TaskState>;

export const Requirements = z
  .object({
    capabilities: Capabilities.default([]).meta({
      description: "Labels that the peer must all have",
    }),
    peer_id: PeerId.optional().meta({ description: "Only this peer" }),
    min_score: z.number().min(0).max(1).optional(),
  })
  .meta({ id: "Requirements" });
export type Requirements = z.infer<typeof Requirements>;

export const SubmitTask = z
  .object({
    kind: TaskKind,
    payload: JsonValue.default(null),
    requirements: Requirements.default({ capabilities: [] }),
    priority: z.int().min(-100).max(100).default(0).meta({ description: "Higher goes first" }),
    deadline_seconds: z
      .number()
      .positive()
      .max(TASK_DEADLINE_MAX / 1_000)
      .default(TASK_DEADLINE_DEFAULT / 1_000)
      .meta({ description: "Not ended by then, the task expires" }),
    max_attempts: z.int().min(1).max(TASK_ATTEMPTS_MAX).default(TASK_ATTEMPTS_DEFAULT),
    lease_seconds: z
      .number()
      .min(1)
      .max(LEASE_MAX / 1_000)
      .default(LEASE_DEFAULT / 1_000)
      .meta({
        description: "How long a peer may be silent about the task before it goes to another",
      }),
  })
  .meta({ id: "TaskRequest" });
export type SubmitTask = z.infer<typeof SubmitTask>;
export type SubmitTaskInput = z.input<typeof SubmitTask>;

export const ATTEMPT_STATES = [
  "offered",
  "running",
  "succeeded",
  "failed",
  "refused",
  "lost",
  "cancelled",
] as const;
export const AttemptView = z
  .object({
    attempt: z.int().positive(),
    peer_id: PeerId,
    peer_name: z.string(),
    score: z.number().meta({ description: "The peer's score when it was chosen" }),
    state: z.enum(ATTEMPT_STATES),
    started_at: Time,
    ended_at: Time.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "Attempt" });
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z
  .object({
    id: Uuid,
    kind: TaskKind,
    payload: JsonValue,
    state: TaskState,
    source: z.string().meta({ description: "`api`, or `webhook:` and the source's name" }),
    requirements: Requirements,
    priority: z.int(),
    created_at: Time,
    deadline_at: Time,
    ended_at: Time.nullable(),
    max_attempts: z.int(),
    lease_seconds: z.number(),
    peer_id: PeerId.nullable().meta({ description: "Who holds it, or who ended it" }),
    progress: z.number().nullable(),
    result: JsonValue,
    error: z.string().nullable(),
    attempts: z.array(AttemptView),
  })
  .meta({ id: "Task" });
export type TaskView = z.infer<typeof TaskView>;

/** A task in a list: without what can be large, or many. `GET /v1/tasks/:id` shows the rest. */
export const TaskSummary = TaskView.omit({ payload: true, result: true, attempts: true }).meta({
  id: "TaskSummary",
});
export type TaskSummary = z.infer<typeof TaskSummary>;

/** Numbers arrive as text in a query string. */
const queryInt = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

export const Page = z.object({
  limit: queryInt(1, PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().max(200).optional().meta({ description: "`next_cursor` of the page before" }),
});
export const PeerQuery = Page.extend({ state: PeerState.optional(), role: Role.optional() });
export const TaskQuery = Page.extend({ state: TaskState.optional(), kind: TaskKind.optional() });
export const WaitQuery = z.object({
  wait: z.coerce
    .number()
    .min(0)
    .max(WAIT_SECONDS_MAX)
    .optional()
    .meta({ description: "Seconds to wait for the task's end before answering" }),
});

const NextCursor = z.string().nullable().meta({ description: "Null on the last page" });
export const PeerList = z
  .object({ peers: z.array(PeerView), next_cursor: NextCursor })
  .meta({ id: "PeerList" });
export const TaskList = z
  .object({ tasks: z.array(TaskSummary), next_cursor: NextCursor })
  .meta({ id: "TaskList" });
export const AllowList = z
  .object({ mode: AuthMode, entries: z.array(AllowEntry) })
  .meta({ id: "Allowlist" });

export const WEBHOOK_SCHEMES = ["standard-webhooks", "github"] as const;
export const WebhookScheme = z.enum(WEBHOOK_SCHEMES);
export type WebhookScheme = z.infer<typeof WebhookScheme>;

/**
 * How an event becomes a task. A string that begins with `$` is a JSON path into the event's body (a singular query
 * of RFC 9535: `$`, `.name`, `['name']`, `[0]`); `$$` begins a literal `$`.
 */
export const EventMapping = z.object({
  kind: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "A task kind, or the JSON path of one", example: "$.type" }),
  payload: JsonValue.default("$").meta({
    description: "The payload, any JSON whose strings may be JSON paths into the event",
    example: { file: "$.data.file" },
  }),
  requirements: Requirements.default({ capabilities: [] }),
  priority: SubmitTask.shape.priority,
  deadline_seconds: SubmitTask.shape.deadline_seconds,
  max_attempts: SubmitTask.shape.max_attempts,
  lease_seconds: SubmitTask.shape.lease_seconds,
});
export type EventMapping = z.infer<typeof EventMapping>;

export const WebhookSourceBody = z
  .object({
    scheme: WebhookScheme,
    secret: z.string().min(16).max(500).meta({ description: "Kept sealed; never shown again" }),
    task: EventMapping,
  })
  .meta({ id: "WebhookSourceRequest" });
export type WebhookSourceBody = z.infer<typeof WebhookSourceBody>;

export const WebhookSourceView = z
  .object({
    name: Slug,
    scheme: WebhookScheme,
    task: EventMapping,
    created_at: Time,
    deliveries: z.int().meta({ description: "Deliveries that became a task" }),
  })
  .meta({ id: "WebhookSource" });
export type WebhookSourceView = z.infer<typeof WebhookSourceView>;

export const DeliveryView = z
  .object({
    task_id: Uuid,
    duplicate: z
      .boolean()
      .meta({ description: "True when the same delivery made this task before" }),
  })
  .meta({ id: "Delivery" });

export const PointerView = z
  .object({
    id: OpaqueId,
    blob_id: OpaqueId,
    metadata: z.record(z.string(), JsonValue),
    expires_at: Time,
  })
  .meta({ id: "Pointer" });
export const PointerList = z.object({ pointers: z.array(PointerView) }).meta({ id: "PointerList" });

export const MeshView = z
  .object({
    name: z.string(),
    id: PeerId,
    public_key: PublicKeyHex.meta({ description: "The mesh's identity: pin this" }),
    discovery_key: PublicKeyHex.meta({ description: "What peer records are sealed to" }),
    signing_key: PublicKeyHex.meta({ description: "Ed25519" }),
    protocols: z.array(Protocol),
    time: Time,
  })
  .meta({ id: "Mesh" });
export type MeshView = z.infer<typeof MeshView>;

export const ProblemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: "Stable; tell errors apart by this" }),
    detail: z.string(),
    retry_after: z.number().optional(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457" });
