import { line, styled, type Line } from "../output.ts";
import type { WatchEvent } from "./delivery-watch.ts";

/** One line for one event of a source. */
export function watchLine(event: WatchEvent): Line {
  const { word, good, text } = describe(event);
  const label = word.padEnd(WORD_WIDTH);
  return line(`${event.at}  `, good === null ? label : styled(good ? "green" : "red", label), text);
}

/** `duplicate` and `succeeded`, the longest words, and two spaces. */
const WORD_WIDTH = 11;

interface Described {
  readonly word: string;
  /** Whether something became or was a success; null: neither. */
  readonly good: boolean | null;
  readonly text: string;
}

function describe(event: WatchEvent): Described {
  switch (event.type) {
    case "delivery":
      return describeDelivery(event);
    case "refused": {
      const { status, code, detail, address, count } = event;
      const from = address === null ? "" : ` from ${address}`;
      return {
        word: "refused",
        good: false,
        text: `${status} ${code}${from}${times(count)}: ${detail}`,
      };
    }
    case "unknown_source":
      return {
        word: "refused",
        good: false,
        text: `404 not_found${times(event.count)}: no source has the name in the URL`,
      };
    case "task_ended": {
      const { state, task_id: id, kind, error } = event;
      const why = error === null ? "" : `: ${error}`;
      return { word: state, good: state === "succeeded", text: `task ${id} ${kind}${why}` };
    }
    case "missed":
      return {
        word: "missed",
        good: false,
        text: "as many deliveries arrived at once as the list keeps: there may have been more",
      };
    default:
      return event satisfies never;
  }
}

function describeDelivery(event: WatchEvent & { type: "delivery" }): Described {
  const { outcome, task_id: id, kind, detail, replay_of: replayOf } = event;
  const task = `task ${id ?? ""}${kind === null ? "" : ` ${kind}`}`;
  const replay = replayOf === null ? "" : ` (replay of ${replayOf})`;
  if (outcome === "task") return { word: "accepted", good: true, text: `${task}${replay}` };
  if (outcome === "duplicate") return { word: outcome, good: null, text: `${task}${replay}` };
  const why = detail ?? "";
  return { word: outcome, good: outcome === "refused" ? false : null, text: `${why}${replay}` };
}

const times = (count: number): string => (count === 1 ? "" : ` ${count} times`);
