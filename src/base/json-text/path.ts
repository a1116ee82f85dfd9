import type { JsonKind } from "./events.ts";

/**
 * Where a visitor of a JSON text is. The visitor calls `value` when a value begins, reads `segments` (the value's path) and calls
 * `open`; `key` at each key; `close` when a value ends, after which `segments` is that value's path again.
 */
export class JsonPath {
  /** Names and indexes from the root; null stands for a name that was too long to be kept. */
  readonly segments: (string | number | null)[] = [];

  value(): void {
    const last = this.segments.length - 1;
    const index = this.segments[last];
    if (typeof index === "number") this.segments[last] = index + 1;
  }

  open(kind: JsonKind): void {
    if (kind === "object") this.segments.push(null);
    else if (kind === "array") this.segments.push(-1);
  }

  key(name: string | null): void {
    this.segments[this.segments.length - 1] = name;
  }

  close(kind: JsonKind): void {
    if (kind === "object" || kind === "array") this.segments.pop();
  }
}

/** The longest path in a message, in characters. */
const PATH_CHARS_MAX = 200;
const SIMPLE_NAME = /^[A-Za-z_$][\w$-]*$/;

/** A path as a message shows it: `payload.items[3]["odd name"]`. */
export function showPath(root: string, segments: readonly (string | number | null)[]): string {
  let shown = root;
  for (const segment of segments) {
    if (typeof segment === "number") shown += `[${segment}]`;
    else if (segment === null) shown += "[…]";
    else if (SIMPLE_NAME.test(segment)) shown += `.${segment}`;
    else shown += `[${JSON.stringify(segment)}]`;
    if (shown.length > PATH_CHARS_MAX) return `${shown.slice(0, PATH_CHARS_MAX)}…`;
  }
  return shown;
}
