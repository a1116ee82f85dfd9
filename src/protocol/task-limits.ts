import { JSON_DEPTH_MAX } from "../base/json.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../base/clock.ts";

/* The limits and times of tasks. */

const KiB = 1_024;
const MiB = 1_024 * KiB;

export const TASK_PAYLOAD_BYTES_MAX = 256 * KiB;
/**
 * A go-p2p node takes frames of 1 MiB, and a muster.2 peer, too: 4 KiB of it are left for the rest of the message. A bundle travels
 * in base64, of 4 characters for 3 bytes.
 */
export const DEPLOY_PAYLOAD_BYTES_MAX = 1 * MiB - 4 * KiB;
export const DEPLOY_SEALED_BYTES_MAX = (DEPLOY_PAYLOAD_BYTES_MAX / 4) * 3;
/** The longest JSON of a payload: of a task, or of a request to one peer, whose message also has to fit in a frame. */
export const payloadBytesMax = (isDeploy: boolean): number =>
  isDeploy ? DEPLOY_PAYLOAD_BYTES_MAX : TASK_PAYLOAD_BYTES_MAX;
export const TASK_RESULT_BYTES_MAX = 256 * KiB;
/** The deepest nesting of a payload or a result: the offer that carries it to a peer adds two levels. */
export const VALUE_DEPTH_MAX = JSON_DEPTH_MAX - 2;
/** A larger result is uploaded to KV, whose values have at most this size. */
export const TASK_LARGE_RESULT_BYTES_MAX = 25 * MiB;
/**
 * Bytes of large results that the mesh stores for the tasks of one owner, because the peers that did them can't upload: those of
 * go-p2p nodes, of up to 1 MiB each.
 */
export const KEPT_RESULT_BYTES_MAX = 256 * MiB;
/** How long an upload of a large result may take. An upload that no task has claimed by then is deleted. */
export const RESULT_UPLOAD_TIMEOUT = 1 * HOUR;
/** Uploads that an attempt may begin: one, and those restarted after a broken connection. */
export const RESULT_UPLOADS_PER_ATTEMPT_MAX = 8;
/** How often an attempt may read its payload over HTTP: so often at once, and in a minute. */
export const PAYLOAD_READS_PER_MINUTE = 16;
export const TASK_ERROR_CHARS_MAX = 2_000;
export const PROGRESS_MESSAGE_CHARS_MAX = 500;
/** Attempts that failed: the handler threw, or took too long. Attempts lost with their peers have a budget of their own. */
export const TASK_ATTEMPTS_DEFAULT = 5;
export const TASK_ATTEMPTS_MAX = 20;
/** Begun attempts that a task may lose to infrastructure: a broken connection, a goodbye, a restart. */
export const TASK_INTERRUPTIONS_DEFAULT = 20;
export const TASK_INTERRUPTIONS_MAX = 200;
/** How long one attempt may take from its beginning, whatever its heartbeats say. */
export const ATTEMPT_TIMEOUT_DEFAULT = 1 * HOUR;
export const TASK_DEADLINE_DEFAULT = 1 * HOUR;
export const TASK_DEADLINE_MAX = 30 * DAY;
export const LEASE_DEFAULT = 60 * SECOND;
export const LEASE_MAX = 1 * HOUR;
/** An offer that is not accepted in this time is given up. */
export const ACCEPT_TIMEOUT = 5 * SECOND;
/** Offers that one peer has not answered: its session and the coordinator must be able to handle the answers in time. */
export const OFFERS_OUTSTANDING_MAX = 64;
/**
 * A peer that has connected, or was heard again, gets no task in this time that another peer had begun and lost before: after a
 * partition all return at once, each with its work.
 */
export const RETURN_GRACE = 5 * SECOND;
/** A peer that refused a task is not offered it again for this long. It doubles with each refusal in a row up to the maximum. */
export const REFUSAL_BACKOFF_INITIAL = 1 * MINUTE;
export const REFUSAL_BACKOFF_MAX = 1 * HOUR;
/** The pause before the first retry of a failed task. It doubles with each attempt up to the maximum. */
export const RETRY_BACKOFF_DEFAULT = 500;
export const RETRY_BACKOFF_MAX_DEFAULT = 1 * MINUTE;
/** The longest pause that a caller may set for either of the two. */
export const RETRY_BACKOFF_CEILING = 1 * DAY;
/** How far in the future a task's `not_before` may be. */
export const SCHEDULE_AHEAD_MAX = 30 * DAY;
/** Priority aging: one step of priority equals this much waiting, so that urgent tasks can't starve the others. */
export const PRIORITY_AGING_STEP = 1 * MINUTE;
export const PRIORITY_MAX = 100;
/** Peers in a task's list of peers to avoid. */
export const AVOIDED_PEERS_MAX = 32;
/** Tasks in one batch. */
export const BATCH_MAX = 100;
/** Tasks that one request may name to cancel or retry them. */
export const BULK_IDS_MAX = 1_000;
/**
 * Tasks that one command changes: other commands wait for it no longer than for a full group of single ones. The caller repeats the
 * command from where it ended.
 */
export const BULK_CHANGED_MAX = 200;
/** Tasks that one preview counts. */
export const BULK_PREVIEWED_MAX = 10_000;
/** IDs that an answer about many tasks shows. */
export const BULK_IDS_SHOWN = 20;

/** Groups of failures that an answer shows, and tasks and peers of each. */
export const FAILURE_GROUPS_SHOWN = 100;
export const FAILURE_ITEMS_SHOWN = 5;
/** Queued tasks of one coordinator. A further task is refused with `queue_full` and a time to retry. */
export const QUEUE_MAX = 10_000;
/** Queued tasks of one owner, unless its token or allowlist entry says otherwise. The admin token has no such limit. */
export const OWNER_QUEUE_MAX = QUEUE_MAX / 4;
/** Different combinations of kind and requirements among the queued tasks of one owner. */
export const OWNER_SHAPES_MAX = 1_000;
/** The largest weight of an owner, and the largest limit on its running tasks. */
export const OWNER_WEIGHT_MAX = 100;
export const OWNER_RUNNING_MAX = 100_000;
/** The largest limit on the bytes of an owner's tasks: the size of the largest database. Owners that the use of storage lists. */
export const OWNER_BYTES_MAX = 10_000_000_000;
export const OWNER_BYTES_SHOWN = 20;
/** How long the payload of an ended task is kept; the default of `TASK_PAYLOAD_RETENTION_HOURS`. */
export const PAYLOAD_RETENTION = DAY;
/** Bytes that the coordinator's database may have, and the fewest with which it is of use. */
export const STORAGE_LIMIT = 10_000_000_000;
export const STORAGE_LIMIT_MIN = 20_000_000;
/** Characters of a concurrency key, and the largest limit of a key or a kind. */
export const CONCURRENCY_KEY_CHARS_MAX = 128;
export const CONCURRENCY_MAX = 1_000;
/** Kinds that have settings, and the largest rate of a kind, per second and as a burst. */
export const KIND_SETTINGS_MAX = 1_000;
export const KIND_RATE_MAX = 10_000;
/** Owners, and kinds, that the statistics of the queue list. */
export const STATS_ROWS_MAX = 100;
export const SLOTS_MAX = 256;
export const CAPABILITIES_MAX = 32;
/** Kinds that one peer announces. A peer that handles more announces `*`, which means every kind. */
export const KINDS_PER_PEER_MAX = 64;
/** How long a repeated idempotency key returns the task of the first submission. */
export const IDEMPOTENCY_RETENTION = 30 * DAY;
/** How long the inputs of a task's assignment are kept, for "why did this peer get the task?". */
export const CHOICE_RETENTION = 7 * DAY;
/** How long a closed circuit of a peer is remembered: its earlier openings make a further one longer. */
export const CIRCUIT_RETENTION = 2 * HOUR;
/** How long an ended task is kept. */
export const TASK_RETENTION = 30 * DAY;
/** How long a large result is kept in KV: a day longer than its task, so that no task points to a missing result. */
export const RESULT_RETENTION = TASK_RETENTION + DAY;
