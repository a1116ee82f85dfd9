/** What the lists of deliveries of a webhook source say. */
import type { DeliveryOutcome, RefusedDelivery } from "../../../src/protocol/http.ts";

/** The words of an outcome. They are those of `muster webhook deliveries` and of the states of the page. */
export const outcomeText = (outcome: DeliveryOutcome): string =>
  outcome === "task" ? "accepted" : outcome;

/** How many deliveries were refused in the time that the list is about. */
export const refusedCount = (refused: readonly Pick<RefusedDelivery, "count">[]): number =>
  refused.reduce((sum, { count }) => sum + count, 0);

/** The remedy in an entry of the mesh's troubleshooting page, for the source of a name; null if it has none. */
export const remedyIn = (entry: string, name: string): string | null =>
  /^- Remedy: (.+)$/m.exec(entry)?.[1]?.replaceAll("NAME", name).replaceAll("`", "") ?? null;
