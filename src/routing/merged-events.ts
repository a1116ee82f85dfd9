import {
  afterIn,
  beginning,
  numberOf,
  positionText,
  readMeshPosition,
  withNumber,
} from "../cells/mesh-position.ts";
import { ok } from "../base/result.ts";
import type { Input } from "../contract/commands.ts";
import type { EventPage, EventView } from "../protocol/http.ts";
import { askEveryCell, missingCells, type Gathered } from "./every-cell.ts";
import type { Route } from "./network.ts";

/** A page of the log of all cells: by the time of the events, then by cell. */
export const eventsOfEveryCell: Route<"list_events"> = async (network, input) => {
  const inputOf = (cell: number): Input<"list_events"> => ({
    ...input,
    after: afterIn(input.after, cell),
  });
  const gathered = await askEveryCell(network, "list_events", inputOf);
  return gathered.ok ? ok(mergedPage(input, gathered.value)) : gathered;
};

/** One page of those of the cells. What is not on it begins after `next`, or after the position of any of its events. */
export function mergedPage(
  { after, limit }: Pick<Input<"list_events">, "after" | "limit">,
  { answers, missing }: Gathered<EventPage>,
): EventPage {
  const { mark } = readMeshPosition(answers[0]?.value.next ?? "");
  let position = beginning(after, mark);
  let reason: NonNullable<EventPage["gap"]>["reason"] | null = null;
  for (const { cell, value } of answers) {
    if (value.gap === null) continue;
    reason ??= value.gap.reason;
    position = withNumber(position, cell, numberOf(value.gap.until));
  }
  const gap =
    reason === null || after === null ? null : { reason, after, until: positionText(position) };
  const pages = answers.map(({ cell, value }) => ({ cell, ...value, left: [...value.events] }));
  const events: EventView[] = [];
  // Of a cell that has more, earlier events than those of the others may follow.
  while (events.length < limit && !pages.some(({ left, more }) => more && left.length === 0)) {
    const first = earliest(pages);
    const event = first?.left.shift();
    if (first === null || event === undefined) break;
    position = withNumber(position, first.cell, numberOf(event.id));
    events.push({ ...event, id: positionText(position) });
  }
  for (const { cell, left, next } of pages)
    if (left.length === 0) position = withNumber(position, cell, numberOf(next));
  const more = pages.some((page) => page.more || page.left.length > 0);
  return { events, gap, next: positionText(position), more, ...missingCells(missing) };
}

interface PageOfCell {
  readonly cell: number;
  readonly left: EventView[];
}

/** The page whose next event is the earliest; that of the lowest cell, if several are. */
function earliest<P extends PageOfCell>(pages: readonly P[]): P | null {
  let found: P | null = null;
  for (const page of pages) {
    const [next] = page.left;
    if (next !== undefined && (found?.left[0] === undefined || next.at < found.left[0].at))
      found = page;
  }
  return found;
}
