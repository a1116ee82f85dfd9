import * as fc from "fast-check";

/** The most cells of a mesh. */
const CELLS_MAX = 4;
/** The same of a mesh whose number of cells changes again and again. */
const CELLS_AT_THE_TOP = 7;
/** Isolates of the gateway: what one has learned of the cells, the others do not know. */
const CALLERS = 3;
/** Peers that act; one more does what is left at the end of a history. */
export const PEERS = 4;
/** Idempotency keys of each history. */
const KEYS = 3;
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
      readonly type: "batch";
      readonly key: number | null;
      readonly ago: number;
      readonly tasks: readonly number[];
    }
  /** From now on another isolate of the gateway calls. */
  | { readonly type: "caller"; readonly caller: number }
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
const key = fc.option(fc.nat({ max: KEYS - 1 }));
const ago = fc.constantFrom(0, 0, 0, 0, 1, 6);
const task = fc.nat({ max: TASK_FORMS - 1 });
const tasks = fc.array(task, { minLength: 1, maxLength: 3 });
const caller = fc.nat({ max: CALLERS - 1 });
const actAmong = (cells: number): fc.Arbitrary<Act> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("submit"), key, ago, task }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("batch"), key, ago, tasks }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("caller"), caller }) },
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
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom("crash", "down", "up"),
        cell: fc.nat({ max: cells - 1 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant("wait"), seconds: fc.constantFrom(1, 2, 6, 20) }),
    },
  );
const act = actAmong(CELLS_MAX);
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

const step = fc.array(actAmong(CELLS_AT_THE_TOP), { minLength: 1, maxLength: 5 });
const cellsAre = (cells: number) => [{ type: "cells", cells }] as const;

/** The same, while the number of cells goes up and down again. */
export const stairs = fc
  .tuple(step, step, step, step)
  .map(([up, top, down, end]) => [
    ...cellsAre(CELLS_MAX),
    ...up,
    ...cellsAre(CELLS_AT_THE_TOP),
    ...top,
    ...cellsAre(CELLS_MAX),
    ...down,
    ...cellsAre(1),
    ...end,
  ]);
