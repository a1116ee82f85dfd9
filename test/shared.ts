import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

/** The folder of the test vectors. It is next to the repository, not part of it. */
const SHARED = fileURLToPath(import.meta.resolve("../../shared/vectors/"));

/**
 * Describes tests that use a file of shared vectors. Without the file, one skipped test replaces them, and its title says
 * why.
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
