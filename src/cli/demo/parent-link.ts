import type { PeerEvent } from "../../client/index.ts";
import { Instruction, type PeerReport } from "./messages.ts";

/** The link from the process of a demo peer to the demo, which started it. */
export interface ParentLink<Config> {
  readonly config: Config;
  readonly report: (report: PeerReport) => void;
  /** Calls the handler for each instruction; on `stop` the handler must end the process. */
  readonly onInstruction: (handle: (instruction: Instruction) => void) => void;
}

/** Waits for the first message from the demo, which holds the configuration of this peer. */
export async function connectToParent<Config>(schema: {
  parse(value: unknown): Config;
}): Promise<ParentLink<Config>> {
  // When the demo is gone, this process has no purpose.
  process.on("disconnect", () => process.exit(1));
  // This process leads its own group, so Ctrl-C in a terminal reaches the demo only; `kill` may still reach this process.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  const first = await new Promise((resolve) => process.once("message", resolve));
  return {
    config: schema.parse(first),
    report: (report) => void process.send?.(report),
    onInstruction: (handle) =>
      process.on("message", (message) => handle(Instruction.parse(message))),
  };
}

/** The text of an event that the demo should show; null for an ordinary event. */
export function warningText(event: PeerEvent): string | null {
  if (event.type === "disconnected") return `disconnected (${event.code} ${event.reason})`;
  if (event.type === "mesh_error") return `error from the mesh: ${event.message}`;
  if (event.type === "frame_ignored") return `ignored ${event.reason}`;
  if (event.type === "closed" && event.error !== undefined) return event.error.message;
  return null;
}
