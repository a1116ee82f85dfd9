import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take a minute or more, most of which they wait. What starts last should be short, or the cores wait for it; a fresh checkout knows no
 * durations, and Vitest then starts the largest files first. The conformance checks have bounds in seconds: no two files of them start at once.
 */
const LONGEST = [
  "test/cells/task-histories.test.ts",
  "test/cells/task-histories-of-two-cells.test.ts",
  "test/cells/growth-histories.test.ts",
  "test/interop/go-p2p-node.test.ts",
  "test/e2e/conformance-peers.test.ts",
  "test/e2e/full-disk.test.ts",
  "test/e2e/fleet.test.ts",
  "test/e2e/cli.test.ts",
  "test/e2e/conformance.test.ts",
  "test/e2e/kv.test.ts",
  "test/e2e/sdk.test.ts",
  "test/e2e/conformance-python.test.ts",
  "test/e2e/draining.test.ts",
  "test/e2e/import-earlier.test.ts",
  "test/e2e/serve-folder.test.ts",
  "test/e2e/storage.test.ts",
  "test/package/types.test.ts",
  "test/package/command-line.test.ts",
];

/** Starts the longest files of a project first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- this is no array's method
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) => {
      const own = sorted.filter((file) => file.project === project);
      const longest = LONGEST.flatMap((path) =>
        own.filter(({ moduleId }) => moduleId.endsWith(`/${path}`)),
      );
      return [...longest, ...own.filter((file) => !longest.includes(file))];
    });
  }
}
