import type { JsonFault, JsonScannerLimits, JsonVisitor } from "./events.ts";
import { JsonScanner } from "./scanner.ts";

/** Scans a JSON text that is there as a whole. */
export function scanJson(
  text: string,
  visitor: JsonVisitor,
  limits: JsonScannerLimits,
): JsonFault | null {
  const scanner = new JsonScanner(visitor, limits);
  return scanner.write(text) ?? scanner.finish();
}

/** Whether a text is JSON, however deep. */
export const isJson = (text: string): boolean =>
  scanJson(text, { begin: () => {}, end: () => {}, key: () => {} }, ANY_DEPTH) === null;

const ANY_DEPTH = { maxDepth: Number.POSITIVE_INFINITY };
