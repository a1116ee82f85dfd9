import { homeOf, type Topology } from "../cells/topology.ts";
import type { SessionCommand } from "../contract/commands.ts";

/** The cell that a session's command goes to: that of its peer. A dial that led to no session is reported to cell 0, which has the dials. */
export const cellOfSessionCommand = (topology: Topology, { input }: SessionCommand): number =>
  "peerId" in input ? homeOf(topology, input.peerId) : 0;
