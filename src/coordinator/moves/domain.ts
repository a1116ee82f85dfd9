import type { TaskMoveCommands } from "../../contract/task-moves.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Job } from "../kernel/job.ts";
import { askRoom } from "./ask-room.ts";
import { handOnTask } from "./hand-on.ts";
import { forgetForward, moveTasks, renewForward } from "./move-tasks.ts";
import { listMoves } from "./offers.ts";
import { findTask, ownTask } from "./own-task.ts";

/** Makes the alarm ring when it is time to look whether queued tasks should move (`task-mover.ts`). */
const lookForRoom: Job = {
  name: "look_for_room",
  run({ registry, now }) {
    if (registry.cells.isSingle) return;
    registry.taskMoveClock.tick(now, registry.tasks.waiting.length > 0);
  },
  due: {
    reads: ["tasks", "settings"],
    at: ({ registry, now }) =>
      registry.cells.isSingle
        ? null
        : registry.taskMoveClock.due(now, registry.tasks.waiting.length > 0),
  },
};

export const moves: Domain<TaskMoveCommands> = {
  handlers: {
    ask_room: askRoom,
    find_task: findTask,
    own_task: ownTask,
    list_moves: listMoves,
    move_tasks: moveTasks,
    hand_on_task: handOnTask,
    renew_forward: renewForward,
    forget_forward: forgetForward,
  },
  audit: {},
  jobs: [lookForRoom],
};
