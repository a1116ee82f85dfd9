import type { PeerEvent } from "../../client/index.ts";
import { eventLine } from "../event-line.ts";

/**
 * The lines of a peer's events, of which an outage has few: one when it begins, one for each further kind of reason, one when it ends.
 * `now` in milliseconds.
 */
export class OutageLines {
  readonly #now: () => number;
  /** When the mesh was lost, and the kinds of reasons that were told; null while it is there. */
  #outage: { readonly since: number; readonly told: Set<string> } | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The line of an event; null if it is not told. */
  line(event: PeerEvent): string | null {
    if (event.type === "connecting" && this.#outage !== null) return null;
    if (event.type === "ready") return this.#joined(eventLine(event));
    if (event.type !== "disconnected") return eventLine(event);
    const kind = event.failure?.code ?? String(event.code);
    this.#outage ??= { since: this.#now(), told: new Set() };
    if (this.#outage.told.has(kind)) return null;
    this.#outage.told.add(kind);
    return eventLine(event);
  }

  #joined(text: string): string {
    if (this.#outage === null) return text;
    const seconds = Math.round((this.#now() - this.#outage.since) / 1_000);
    this.#outage = null;
    return `${text}, after ${seconds} s without the mesh`;
  }
}
