import { parsePath, type JsonPath } from "./json-path.ts";
import { JsonSelector, type Selected, type SelectedValues } from "./selection/json-selector.ts";
import { pathTree, USES, type WantedPaths } from "./selection/path-tree.ts";

/** What a path selected of an event whose body is not stored: the text of a value, or why there is none. */
export interface RecordedValue {
  readonly path: string;
  readonly found: "text" | "nothing" | "too_large";
  readonly text: string;
}

/** What the rules read of an event, as it is stored for replays. */
export function recordValues(wanted: WantedPaths, event: SelectedValues): RecordedValue[] {
  const recorded = new Map<string, RecordedValue>();
  for (const use of USES) {
    for (const path of wanted[use]) {
      const key = keyOf(path.segments);
      if (recorded.get(key)?.found === "text") continue;
      recorded.set(key, recordedValue(path.text, event.find(path, use)));
    }
  }
  return [...recorded.values()];
}

function recordedValue(path: string, selected: Selected): RecordedValue {
  if (selected === undefined) return { path, found: "nothing", text: "" };
  return selected === null
    ? { path, found: "too_large", text: "" }
    : { path, found: "text", text: selected.text };
}

const keyOf = (segments: readonly (string | number)[]): string => JSON.stringify(segments);

/** An event of which only some values are stored. */
export class RecordedEvent implements SelectedValues {
  readonly #values: ReadonlyMap<string, RecordedValue>;

  constructor(values: readonly RecordedValue[]) {
    this.#values = new Map(
      values.flatMap((value) => {
        const path = parsePath(value.path);
        return path.ok ? [[keyOf(path.value.segments), value] as const] : [];
      }),
    );
  }

  /** The first of the paths of which nothing is known, because the rules did not read it when the event arrived; null if there is none. */
  firstUnknown(wanted: WantedPaths): JsonPath | null {
    const paths = USES.flatMap((use) => wanted[use]);
    return paths.find((path) => this.#select(path) === UNKNOWN) ?? null;
  }

  find(path: JsonPath): Selected {
    const selected = this.#select(path);
    return selected === UNKNOWN ? undefined : selected;
  }

  /** What is stored under the path itself, or else under the longest path of which it is a part. */
  #select({ text, segments }: JsonPath): Selected | typeof UNKNOWN {
    for (let length = segments.length; length >= 0; length--) {
      const value = this.#values.get(keyOf(segments.slice(0, length)));
      if (value === undefined) continue;
      if (value.found === "nothing") return undefined;
      if (value.found === "text") {
        const rest = { text, segments: segments.slice(length) };
        return length === segments.length ? { text: value.text } : selectOf(value.text, rest);
      }
      if (length === segments.length) return null;
    }
    return UNKNOWN;
  }
}

const UNKNOWN = Symbol("unknown");

function selectOf(text: string, path: JsonPath): Selected {
  const selector = new JsonSelector(pathTree({ mapped: [path], compared: [] }));
  selector.write(text);
  selector.finish();
  return selector.find(path, "mapped");
}
