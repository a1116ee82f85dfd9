import type { Millis } from "../../base/clock.ts";
import type { EventGap, EventView } from "../../protocol/http.ts";
import type { OptionNames } from "../known-options.ts";

/** Which events; an event meets every condition that is given. */
export interface EventFilterOptions {
  /** Beginnings of types: `task.`, `peer.revoked`. */
  readonly types?: readonly string[];
  /** The kind of the task, or of the circuit. */
  readonly kind?: string;
  /** The owner of the task. */
  readonly owner?: string;
  /** The ID of the peer. */
  readonly peer?: string;
  /** The IDs of tasks, at most 100. */
  readonly tasks?: readonly string[];
}

export interface EventOptions extends EventFilterOptions {
  /** The `id` of the last event that the program has, or `oldest` for all that the mesh has kept. Default: the events to come. */
  readonly after?: string;
  /** Ends the iteration: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** See `WaitOptions`: how long the iteration goes on while the mesh gives no answer. */
  readonly outageMs?: Millis;
}

export const EVENT_OPTIONS: OptionNames<EventOptions> = {
  types: "strings",
  kind: "string",
  owner: "string",
  peer: "string",
  tasks: "strings",
  after: "string",
  signal: "signal",
  outageMs: "number",
};

/** Events may be missing before the next one: the program reads the states anew. */
export interface GapEvent {
  readonly type: "gap";
  /** The position after the gap. */
  readonly id: string;
  readonly reason: EventGap["reason"];
  /** The position that the mesh could not continue from. */
  readonly after: string;
}

/** What `events` yields: a change that the mesh committed, or a gap. */
export type MeshEvent = EventView | GapEvent;
