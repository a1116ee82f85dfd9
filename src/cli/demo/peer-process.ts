import type { PeerEvent } from "../../client/index.ts";
import { Order, type Report } from "./messages.ts";

/** The demo's end of this process: what the processes of all four peers share. */
export interface DemoEnd<T> {
  readonly orders: T;
  readonly report: (report: Report) => void;
  /** Takes the orders that follow the first; `stop` should lead to the end of the process. */
  readonly onOrder: (take: (order: Order) => void) => void;
}

/** Connects this process to the demo that started it; the first message holds what it has to know. */
export async function demoEnd<T>(schema: { parse(value: unknown): T }): Promise<DemoEnd<T>> {
  // Without the demo there is nothing to live for.
  process.on("disconnect", () => process.exit(1));
  // A terminal sends Ctrl-C to the demo alone, as this process leads a group of its own; but people use `kill`, too.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  const first = await new Promise((resolve) => process.once("message", resolve));
  return {
    orders: schema.parse(first),
    report: (report) => void process.send?.(report),
    onOrder: (take) => process.on("message", (message) => take(Order.parse(message))),
  };
}

/** What is worth telling of a peer's events; null for the ordinary. */
export function troubleOf(event: PeerEvent): string | null {
  if (event.type === "disconnected") return `disconnected (${event.code} ${event.reason})`;
  if (event.type === "mesh_error") return `the mesh says: ${event.message}`;
  if (event.type === "frame_ignored") return `ignored ${event.reason}`;
  if (event.type === "closed" && event.error !== undefined) return event.error.message;
  return null;
}
