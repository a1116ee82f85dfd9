import { z } from "zod";
import { PAGE_DEFAULT, PAGE_MAX } from "../constants.ts";
import { EVENT_FILTER_TASKS_MAX, EVENT_FILTER_TYPES_MAX } from "../event-limits.ts";
import {
  ADMISSION_EVENT_TYPES,
  ALERT_EVENT_TYPES,
  CIRCUIT_EVENT_TYPES,
  EVENT_TYPES,
  PEER_EVENT_TYPES,
  TASK_EVENT_TYPES,
} from "../event-types.ts";
import { PeerId, Uuid } from "../ids.ts";
import { TaskKind } from "../labels.ts";
import { nullOr } from "../schema/null-or.ts";
import { ALERT_FIELDS } from "./alerts.ts";
import { MissingCells, Time } from "./page.ts";
import { PeerState, Scheduling } from "./peers.ts";
import { queryInt } from "./query-number.ts";
import { TaskState } from "./tasks.ts";

/** A place in the log of events: the number of an event, and which mesh it is of. Followers keep it as it is. */
export const EventPosition = z
  .string()
  .regex(
    /^\d{1,16}(?:\.\d{1,16}){0,63}-[0-9a-f]{8}$/,
    "a position is the `id` of an event, as the mesh gave it",
  )
  .meta({
    description:
      "A position in the log: the `id` of an event. In a mesh of several cells it has a number for each, separated by dots",
    example: "1795348800000000-9f86d081",
  });

const isTypePrefix = (text: string): boolean =>
  text !== "" && EVENT_TYPES.some((type) => type.startsWith(text));
const isTaskId = (text: string): boolean => Uuid.safeParse(text).success;
/** At most `max` values that are separated by commas, each valid. */
const isListOf = (isValid: (text: string) => boolean, max: number) => (text: string) =>
  text.split(",").length <= max && text.split(",").every(isValid);

/** Conditions, all of which an event meets. */
const FILTER = {
  type: z
    .string()
    .max(1_000)
    .refine(isListOf(isTypePrefix, EVENT_FILTER_TYPES_MAX), {
      message: `up to ${EVENT_FILTER_TYPES_MAX} beginnings of types of events, which docs/events.md lists, separated by commas`,
    })
    .optional()
    .meta({
      description: "Beginnings of types, separated by commas: `task.`, or `task.failed,peer.`",
    }),
  kind: TaskKind.optional().meta({ description: "The kind of the task, or of the circuit" }),
  owner: z.string().max(100).optional().meta({
    description:
      "The owner of the task: a token's ID, a peer's ID, `admin`, or `webhook:` and a source",
  }),
  peer: PeerId.optional(),
  task: z
    .string()
    .max(5_000)
    .refine(isListOf(isTaskId, EVENT_FILTER_TASKS_MAX), {
      message: `IDs of up to ${EVENT_FILTER_TASKS_MAX} tasks, separated by commas`,
    })
    .optional()
    .meta({ description: `IDs of up to ${EVENT_FILTER_TASKS_MAX} tasks, separated by commas` }),
};

export const EventQuery = z.strictObject({
  ...FILTER,
  after: z
    .union([z.enum(["oldest"]), EventPosition])
    .optional()
    .meta({
      description:
        "The events after this position; `oldest`: all that the log has. Default: a stream begins with the next event, a page with the oldest",
    }),
  limit: queryInt(1, PAGE_MAX)
    .optional()
    .meta({
      description: `Events of a page; default ${PAGE_DEFAULT}. A stream takes no limit`,
    }),
});
export type EventQuery = z.infer<typeof EventQuery>;

const COMMON = {
  id: EventPosition,
  at: Time.meta({ description: "When the change was committed; RFC 3339, UTC" }),
};

export const TaskEventView = z
  .object({
    ...COMMON,
    type: z.enum(TASK_EVENT_TYPES),
    task: Uuid,
    kind: TaskKind,
    owner: z.string(),
    peer: PeerId.nullable().meta({
      description: "The peer that has the lease, or that ended the task",
    }),
    fence: z.int().meta({ description: "The number of the attempt; 0 before the first one" }),
    state: TaskState,
    previous: TaskState.nullable().meta({ description: "Null for a new task" }),
    progress: z.number().nullable(),
    message: z
      .string()
      .nullable()
      .meta({ description: "The first 256 characters of the peer's progress message" }),
  })
  .meta({ id: "MeshTaskEvent" });

export const PeerEventView = z
  .object({
    ...COMMON,
    type: z.enum(PEER_EVENT_TYPES),
    peer: PeerId,
    name: z.string(),
    state: PeerState,
    previous: PeerState.nullable().meta({ description: "Null for a new peer" }),
    scheduling: Scheduling,
    leaving: z.boolean().meta({ description: "Whether the peer drains itself" }),
  })
  .meta({ id: "MeshPeerEvent" });

export const AdmissionEventView = z
  .object({ ...COMMON, type: z.enum(ADMISSION_EVENT_TYPES), peer: PeerId })
  .meta({ id: "MeshAdmissionEvent" });

export const CircuitEventView = z
  .object({
    ...COMMON,
    type: z.enum(CIRCUIT_EVENT_TYPES),
    peer: PeerId,
    kind: TaskKind.nullable().meta({ description: "Null for the circuit of the whole peer" }),
  })
  .meta({ id: "MeshCircuitEvent" });

const AlertEventView = z
  .object({ ...COMMON, type: z.enum(ALERT_EVENT_TYPES), ...ALERT_FIELDS })
  .meta({ id: "MeshAlertEvent" });

/** A change that the mesh committed. */
export const EventView = z.union([
  TaskEventView,
  PeerEventView,
  AdmissionEventView,
  CircuitEventView,
  AlertEventView,
]);
export type EventView = z.infer<typeof EventView>;

/**
 * `overwritten`: the events after the position are no longer in the log. `unknown_position`: this log never had the position.
 * `other_mesh`: the position is of another mesh.
 */
const GAP_REASONS = ["overwritten", "unknown_position", "other_mesh"] as const;
/** Events may be missing before what follows. */
export const EventGap = z
  .object({
    reason: z.enum(GAP_REASONS),
    after: EventPosition.meta({ description: "The position that was asked for" }),
    until: EventPosition.meta({
      description:
        "Every later event follows; read the states anew, because those between may be missing",
    }),
  })
  .meta({ id: "EventGap" });
export type EventGap = z.infer<typeof EventGap>;

/** The data of `event: end`: the token is over. */
export const StreamEnd = z.object({ code: z.string(), detail: z.string() });

export const EventPage = z
  .object({
    events: z.array(EventView),
    gap: nullOr(EventGap),
    next: EventPosition.meta({
      description: "Where the next page begins: `after` of the next request",
    }),
    more: z.boolean().meta({ description: "Whether the log already has events after `next`" }),
    missing_cells: MissingCells,
  })
  .meta({ id: "EventPage" });
export type EventPage = z.infer<typeof EventPage>;
