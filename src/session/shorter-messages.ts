import { toBase64, utf8, utf8Length } from "../base/bytes.ts";
import { NULL_JSON, textOfJson } from "../base/json-text/json-text.ts";
import { writeJson } from "../base/json-text/write-json.ts";
import { sha256 } from "../crypto/primitives/hashes.ts";
import { cutText } from "../protocol/cut-texts.ts";
import { wireShown } from "../protocol/exact-tasks.ts";
import type { TaskView } from "../protocol/http/tasks.ts";
import type { PayloadInput, PayloadOf, TaskOffer } from "../protocol/messages.ts";
import { resultBytes } from "../protocol/result-bytes.ts";
import { OMITTED_FIELDS, type OmittedField } from "../protocol/task-messages.ts";

/*
 * What is sent instead of a message that is larger than the frames of its session. Each fits the least `max_frame`
 * (`protocol/max-frame.ts`), whatever callers and peers have written in it.
 */

/** The offer without its payload, which the peer fetches with the offer's secret and compares with this digest. */
export function referencedOffer({ payload, ...offer }: TaskOffer): PayloadInput<"task_offer"> {
  const bytes = utf8(textOfJson(payload));
  return { ...offer, payload_ref: { bytes: bytes.length, sha256: toBase64(sha256(bytes)) } };
}

type Shown = PayloadOf<"task_shown">;

/** A smaller field is not left out. */
const OMITTED_BYTES_MIN = 64;

const WITHOUT: { readonly [F in OmittedField]: (task: TaskView) => Partial<TaskView> } = {
  payload: () => ({ payload: NULL_JSON }),
  attempts: () => ({ attempts: [] }),
  callback: () => ({ callback: null }),
  requirements: () => ({ requirements: { capabilities: [] } }),
  concurrency: () => ({ concurrency: null }),
  tracestate: () => ({ tracestate: null }),
  message: () => ({ message: null }),
  error: ({ error }) => ({ error: error === null ? null : cutText(error) }),
};

/**
 * A task as a message of at most `max` bytes of JSON shows it. Its largest parts give way first: the result is then fetched with the
 * ticket, as a large one is, and other fields are left out, which `omitted` names.
 */
export function shorterShown(shown: Shown, max: number): PayloadInput<"task_shown"> {
  const { task } = shown;
  const parts = [
    ...(isFetchable(shown)
      ? [{ size: utf8Length(textOfJson(task.result)), take: withoutResult }]
      : []),
    ...OMITTED_FIELDS.map((field) => ({ size: sizeOf(task, field), take: without(field) })),
  ].filter(({ size }) => size > OMITTED_BYTES_MIN);
  let shorter = shown;
  for (const { take } of parts.toSorted((a, b) => b.size - a.size)) {
    if (utf8Length(writeJson(wireShown(shorter))) <= max) break;
    shorter = take(shorter);
  }
  return wireShown(shorter);
}

/** The bytes that a message is shorter without the field. */
function sizeOf(task: TaskView, field: OmittedField): number {
  if (field === "payload") return utf8Length(textOfJson(task.payload));
  const left = { ...task, ...WITHOUT[field](task) };
  return utf8Length(JSON.stringify(task[field])) - utf8Length(JSON.stringify(left[field]));
}

const without =
  (field: OmittedField) =>
  ({ task, omitted = [], ...shown }: Shown): Shown => ({
    ...shown,
    task: { ...task, ...WITHOUT[field](task) },
    omitted: [...omitted, field],
  });

/** Whether the result is in the task and could be fetched. */
const isFetchable = ({ task, ticket }: Shown): boolean =>
  task.state === "succeeded" && task.result_url === null && ticket !== undefined;

function withoutResult({ task, ...shown }: Shown): Shown {
  const bytes = resultBytes(task.result, task.result_sealed);
  const fetched = {
    result: NULL_JSON,
    result_bytes: bytes.length,
    result_url: `/v1/tasks/${task.id}/result`,
    result_sha256: toBase64(sha256(bytes)),
  };
  return { ...shown, task: { ...task, ...fetched } };
}
