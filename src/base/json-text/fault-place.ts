import type { JsonFault } from "./events.ts";

/** Why a text is not the JSON that was expected, and where: `a value was expected (line 2, column 14)`. Both count from 1. */
export function describeFault(text: string, { detail, at }: JsonFault): string {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return `${detail} (line ${line}, column ${at - before.lastIndexOf("\n")})`;
}
