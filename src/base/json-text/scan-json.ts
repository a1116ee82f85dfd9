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
export const isJson = (text: string): boolean => scanJson(text, NO_VISITOR, ANY_DEPTH) === null;

/** Whether a text is the beginning of JSON whose rest is missing. */
export function isCutJson(text: string): boolean {
  const scanner = new JsonScanner(NO_VISITOR, ANY_DEPTH);
  return scanner.write(text) === null && scanner.finish() !== null;
}

const NO_VISITOR: JsonVisitor = { begin: () => {}, end: () => {}, key: () => {} };

const ANY_DEPTH = { maxDepth: Number.POSITIVE_INFINITY };
