import { SECOND, type Millis } from "../base/clock.ts";
import type { Condition } from "./alert.ts";
import { duration, secondsSince } from "./condition-text.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** The other cells, as this one sees them. */
export interface CellConditionFacts {
  /** The cells that this one watches and that do not answer, and since when. */
  readonly silent: readonly { readonly cell: number; readonly since: Millis }[];
  /** The cells for which messages wait here. */
  readonly links: readonly WaitingLink[];
}

/** Messages that another cell has not taken. */
interface WaitingLink {
  readonly cell: number;
  readonly messages: number;
  /** When the oldest was stored. */
  readonly oldest: Millis;
  /** The type of the first, which the others wait for. */
  readonly first: string;
  /** Whether the cell does not answer at all. */
  readonly isSilent: boolean;
}

/** Of a cell that does not answer it is said once, by the cell that watches it, and not by every cell that has messages for it. */
export function cellConditions(
  { silent, links }: CellConditionFacts,
  { cellDown, cellMessages }: AlertThresholds,
  now: Millis,
): readonly Condition[] {
  const found: Condition[] = [];
  if (cellDown !== null)
    for (const { cell, since } of silent)
      found.push({
        alert: "cell_down",
        peer: null,
        kind: null,
        cell,
        since,
        holdFor: cellDown,
        value: secondsSince(since, now),
        threshold: cellDown / SECOND,
        message: `cell ${cell} has not answered for ${duration(now - since)}: its peers and tasks wait`,
      });
  if (cellMessages === null) return found;
  for (const { cell, messages, oldest, first, isSilent } of links)
    if (!isSilent || cellDown === null)
      found.push({
        alert: "cell_messages",
        peer: null,
        kind: null,
        cell,
        since: oldest,
        holdFor: cellMessages,
        value: secondsSince(oldest, now),
        threshold: cellMessages / SECOND,
        message: `${messagesText(messages)} for cell ${cell} not taken for ${duration(now - oldest)}; the first one (${first}) holds up the others`,
      });
  return found;
}

const messagesText = (count: number): string => (count === 1 ? "1 message" : `${count} messages`);
