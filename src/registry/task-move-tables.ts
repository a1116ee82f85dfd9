import type { Sql } from "./sql.ts";
import type { TableChanges } from "./table-changes.ts";
import { taskArrivalsTable } from "./task-arrivals.ts";
import { taskForwardsTable } from "./task-forwards.ts";
import { TaskMoveClock } from "./task-move-clock.ts";

/** What a cell knows of tasks that move. `lasting`: for tables whose rows have a lifetime. */
export function taskMoveTables(sql: Sql, changes: TableChanges, lasting: Sql) {
  return {
    /** Where tasks went that were here. */
    taskForwards: taskForwardsTable(lasting, () => changes.mark("tasks")),
    /** What is kept of tasks that came. */
    taskArrivals: taskArrivalsTable(sql),
    taskMoveClock: new TaskMoveClock(),
    /** For statements about a task that moves, which concern several tables. */
    movesSql: changes.watch(lasting, "tasks"),
  };
}
