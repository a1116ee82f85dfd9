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
