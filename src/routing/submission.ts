import { placeOfKey } from "../cells/placement.ts";
import { homeOf } from "../cells/topology.ts";
import type { SubmitInput } from "../contract/tasks.ts";
import { anyCell } from "./one-cell.ts";
import type { Network } from "./network.ts";

/** The cell that gets a task, or a batch of them: that of its idempotency key, if it has one. */
export const cellOfSubmission = (
  network: Network,
  { idempotency }: Pick<SubmitInput, "idempotency">,
): number =>
  idempotency === null
    ? anyCell(network)
    : homeOf(network.topology, placeOfKey(idempotency.scope, idempotency.key));
