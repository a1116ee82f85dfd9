import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

/** Where the vectors lie, beside the repository; they are not part of it. */
const SHARED = fileURLToPath(import.meta.resolve("../../shared/vectors/"));

/**
 * Describes tests over a file of shared vectors. In a clone without them one skipped test stands in their place, and
 * its name says why.
 */
export function describeVectors<T>(title: string, file: string, tests: (vectors: T) => void): void {
  const path = join(SHARED, file);
  if (existsSync(path)) {
    describe(title, () => tests(JSON.parse(readFileSync(path, "utf8")) as T));
  } else {
    describe(title, () => {
      test.skip(`skipped: ../shared/vectors/${file} is not beside the repository`, () => {});
    });
  }
}

/** One file of Project Wycheproof, `testvectors_v1`. */
export interface Wycheproof<Case, Group = object> {
  readonly numberOfTests: number;
  readonly testGroups: readonly (Group & {
    readonly tests: readonly (Case & WycheproofCase)[];
  })[];
}

interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
}
