import type { TaskInput } from "../../contract/inputs.ts";
import type { TaskCommands } from "../../contract/tasks.ts";
import type { Domain } from "../kernel/domain.ts";
import {
  acceptTask,
  cancelTask,
  finishTask,
  offerFailed,
  progressTask,
  refuseTask,
  releaseTask,
} from "./attempts.ts";
import { whyTask } from "./choice-explanation.ts";
import { taskJobs } from "./jobs.ts";
import { deleteKind, getKind, listKinds, putKind } from "./kind-settings.ts";
import { listTasks } from "./list-tasks.ts";
import { readPayload } from "./payloads.ts";
import {
  beginResult,
  readOwnResult,
  readResult,
  resultDeleted,
  resultUploaded,
} from "./results.ts";
import { retryTask } from "./retry-task.ts";
import { assignTask, queryTask, recallTask, retryOwnTask } from "./session-tasks.ts";
import { taskStats } from "./stats.ts";
import { enqueueTask, getTask, submitBatch, submitTask } from "./submit.ts";

const OWN_RECORD = {
  notAudited: "the task is its own record, with its owner and its source",
} as const;

/** Only what an administrator does to a task: a caller that sees only its own tasks acts on its own. */
const actOnTask = ({ id, visibleTo }: TaskInput) => (visibleTo === null ? { subject: id } : null);

export const tasks: Domain<TaskCommands> = {
  handlers: {
    accept_task: acceptTask,
    refuse_task: refuseTask,
    release_task: releaseTask,
    progress_task: progressTask,
    finish_task: finishTask,
    assign_task: assignTask,
    query_task: queryTask,
    recall_task: recallTask,
    retry_own_task: retryOwnTask,
    submit_task: submitTask,
    enqueue_task: enqueueTask,
    submit_batch: submitBatch,
    get_task: getTask,
    list_tasks: listTasks,
    cancel_task: cancelTask,
    retry_task: retryTask,
    task_stats: taskStats,
    list_kinds: listKinds,
    get_kind: getKind,
    put_kind: putKind,
    delete_kind: deleteKind,
    why_task: whyTask,
    begin_result: beginResult,
    result_uploaded: resultUploaded,
    read_payload: readPayload,
    read_result: readResult,
    read_own_result: readOwnResult,
    offer_failed: offerFailed,
    result_deleted: resultDeleted,
  },
  audit: {
    submit_task: OWN_RECORD,
    enqueue_task: OWN_RECORD,
    submit_batch: OWN_RECORD,
    begin_result: { notAudited: "the peer of the attempt gives it, with the ticket of its offer" },
    result_uploaded: {
      notAudited: "the peer of the attempt gives it, with the ticket of its offer",
    },
    cancel_task: actOnTask,
    retry_task: actOnTask,
    put_kind: ({ kind, settings }) => ({ subject: kind, detail: { ...settings } }),
    delete_kind: ({ kind }) => ({ subject: kind }),
  },
  jobs: taskJobs,
};
