import { describe, expect, test } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { step } from "../../src/session/step.ts";
import { at, commands, joined, messages, said, START } from "./driver.ts";

const TASK_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

describe("task messages of a controller", () => {
  test.for([
    ["task_assign", { task: { kind: "echo" } }],
    ["task_query", { task_id: TASK_ID }],
    ["task_recall", { task_id: TASK_ID }],
    ["task_retry", { task_id: TASK_ID }],
  ] as [string, Json][])(
    "AS25 %s over go-p2p 1.0 is refused with its error code",
    ([type, payload]) => {
      const { effects } = step(joined(), said(type, payload), at(START + 100));
      expect(commands(effects)).toEqual([]);
      expect(messages(effects)).toMatchObject([
        { type: "error", payload: { code: 1002, details: "not_permitted" } },
      ]);
    },
  );
});
