import type * as answers from "../../protocol/shapes/answers.ts";

type Answers = typeof answers;

/**
 * Loads the shape of an answer that few programs read. Together they are as large as half of what submits tasks, and are loaded when the
 * first is needed.
 */
export const answer =
  <Name extends keyof Answers>(name: Name) =>
  async (): Promise<Answers[Name]> =>
    (await import("../../protocol/shapes/answers.ts"))[name];
