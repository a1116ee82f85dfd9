import { placeOfDelivery } from "../../cells/placement.ts";
import { homeOf, liveFormerHomesOf } from "../../cells/topology.ts";
import type { Before } from "./cell-calls.ts";

/**
 * A delivery that belonged to other cells before the number of cells changed: if one of them has made a task of it, that one answers. One
 * that does not answer may have: then the sender is to repeat the delivery.
 */
export const askFormerCells: Before<"receive_delivery"> = (cell, input, actor) => {
  const { topology, own } = cell.registry.cells;
  const place = placeOfDelivery(input.source, input.deliveryId);
  if (homeOf(topology, place) !== own) return null;
  const former = liveFormerHomesOf(topology, place, cell.now());
  if (former.length === 0) return null;
  const { source, sourceId, deliveryId, earlier } = input;
  const deliveryIds = earlier === null ? [deliveryId] : [deliveryId, earlier.deliveryId];
  return async () => {
    for (const each of former) {
      const asked = { topology, source, sourceId, deliveryIds };
      const answer = await cell.ask(each, cell.self, "knows_delivery", asked);
      if (!answer.ok) return answer;
      if (answer.value.known) return cell.ask(each, actor, "receive_delivery", input);
    }
    return null;
  };
};
