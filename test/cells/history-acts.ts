import * as fc from "fast-check";

/** The most cells of a mesh. */
const CELLS_MAX = 4;
/** Peers that act; one more does what is left at the end of a history. */
export const PEERS = 4;
/** Idempotency keys of each history. */
export const KEYS = 3;
const TASK_FORMS = 5;

export type Act =
  | {
      readonly type: "submit";
      /** Null without an idempotency key. */
      readonly key: number | null;
      /** The key is one of so many histories ago. */
      readonly ago: number;
      readonly task: number;
    }
  | {
      readonly type: "join" | "leave" | "revoke" | "readmit" | "observe";
      readonly peer: number;
    }
  | { readonly type: "accept" | "finish" | "refuse" | "fail"; readonly peer: number }
  | { readonly type: "cancel" | "retry"; readonly nth: number }
  | { readonly type: "crash" | "down" | "up"; readonly cell: number }
  | { readonly type: "wait"; readonly seconds: number }
  /** The operator sets another number of cells. */
  | { readonly type: "cells"; readonly cells: number };

const peer = fc.nat({ max: PEERS - 1 });
const cell = fc.nat({ max: CELLS_MAX - 1 });
const submit = fc.record({
  type: fc.constant("submit"),
  key: fc.option(fc.nat({ max: KEYS - 1 })),
  ago: fc.constantFrom(0, 0, 0, 0, 1, 6),
  task: fc.nat({ max: TASK_FORMS - 1 }),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: submit },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("join"), peer }) },
  {
    weight: 7,
    arbitrary: fc.record({ type: fc.constantFrom("accept", "finish", "refuse", "fail"), peer }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom("leave", "leave", "revoke", "readmit", "observe"),
      peer,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("cancel", "retry"), nth: fc.nat({ max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("crash", "down", "up"), cell }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("wait"), seconds: fc.constantFrom(1, 2, 6, 20) }),
  },
);
const change: fc.Arbitrary<Act> = fc.record({
  type: fc.constant("cells"),
  cells: fc.integer({ min: 1, max: CELLS_MAX }),
});

/** The acts of a history. */
export const history = fc.array(act, { minLength: 3, maxLength: 9 });

/** The same, while the number of cells changes. */
export const growingHistory = fc
  .tuple(
    fc.array(act, { minLength: 1, maxLength: 5 }),
    change,
    fc.array(act, { minLength: 1, maxLength: 5 }),
  )
  .map(([before, changed, after]) => [...before, changed, ...after]);
