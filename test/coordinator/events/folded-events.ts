import { expect } from "vitest";
import type { MeshEvent } from "../../../src/protocol/events.ts";
import type { Registry } from "../../../src/registry/registry.ts";
import type { TestMesh } from "../mesh.ts";

/** What a follower knows from the events alone. */
export class FoldedEvents {
  readonly #states = new Map<string, string>();
  #after: number | null = null;

  /** Reads the events since the last time, in small pages. */
  follow(registry: Registry): void {
    for (;;) {
      const { isGap, events } = registry.events.read(this.#after, 3);
      expect(isGap).toBe(false);
      for (const { id, event } of events) {
        expect(id).toBeGreaterThan(this.#after ?? 0);
        this.#after = id;
        this.#apply(event);
      }
      if (events.length === 0) return;
    }
  }

  states = (): readonly string[] =>
    [...this.#states].map(([subject, state]) => `${subject}: ${state}`).toSorted();

  /** The same by the tables. */
  static statesIn({ rows }: TestMesh): readonly string[] {
    return [
      ...rows(
        `SELECT 'task ' || id || ': ' || state || ' ' || fence || ' ' || COALESCE(CAST(progress * 100 AS INTEGER), '') AS line FROM tasks`,
      ),
      ...rows(
        `SELECT 'peer ' || id || ': ' || state || ' ' || scheduling || ' ' || leaving AS line FROM peers`,
      ),
      ...rows(`SELECT 'allowlist ' || peer_id || ': listed' AS line FROM allowlist`),
      ...rows(`SELECT 'denylist ' || peer_id || ': listed' AS line FROM denylist`),
      ...rows(
        `SELECT 'circuit ' || peer_id || ' ' || kind || ': open' AS line FROM circuits WHERE rests_until IS NOT NULL`,
      ),
      ...rows(`SELECT 'alert ' || key || ': firing' AS line FROM alerts`),
    ]
      .map(({ line }) => String(line))
      .toSorted();
  }

  #apply(event: MeshEvent): void {
    if ("task" in event) {
      const { task, state, fence, progress, previous } = event;
      const known = this.#states.get(`task ${task}`);
      expect(known?.split(" ")[0] ?? null).toBe(previous);
      return this.#set(
        `task ${task}`,
        `${state} ${fence} ${progress === null ? "" : Math.floor(progress * 100)}`,
      );
    }
    if ("scheduling" in event) {
      const { peer, state, scheduling, leaving, previous } = event;
      const known = this.#states.get(`peer ${peer}`);
      expect(known?.split(" ")[0] ?? null).toBe(previous);
      return this.#set(`peer ${peer}`, `${state} ${scheduling} ${Number(leaving)}`);
    }
    switch (event.type) {
      case "peer.removed":
        return this.#remove(`peer ${event.peer}`);
      case "allowlist.added":
      case "denylist.added":
        return this.#set(`${event.type.split(".")[0]} ${event.peer}`, "listed");
      case "allowlist.removed":
      case "denylist.removed":
        return this.#remove(`${event.type.split(".")[0]} ${event.peer}`);
      case "circuit.opened":
        return this.#set(`circuit ${event.peer} ${event.kind ?? ""}`, "open");
      case "circuit.closed":
        return this.#remove(`circuit ${event.peer} ${event.kind ?? ""}`);
      case "alert.firing":
        return this.#set(`alert ${event.key}`, "firing");
      case "alert.resolved":
        return this.#remove(`alert ${event.key}`);
      default:
        return event satisfies never;
    }
  }

  /** An event without a change is a fault. */
  #set(subject: string, state: string): void {
    expect(this.#states.get(subject)).not.toBe(state);
    this.#states.set(subject, state);
  }

  #remove(subject: string): void {
    expect(this.#states.delete(subject)).toBe(true);
  }
}
