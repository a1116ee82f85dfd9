import { HOUR, MINUTE, SECOND } from "../base/clock.ts";

/** Time limits and size limits of the SDK; times in milliseconds. Limits that both sides share: protocol/constants.ts. */

/**
 * From the dial to the mesh's answer to the handshake, and from there to its welcome: twice the mesh's own handshake deadline, for TCP
 * and TLS.
 */
export const DIAL_ATTEMPT_TIMEOUT = 20 * SECOND;
/**
 * The connection is dropped after this time without a frame: over muster.2, three keepalive answers in a row are missing;
 * over go-p2p 1.0, two of the mesh's pings, which are sent every 30 s.
 */
export const MESH_SILENCE_MAX = 75 * SECOND;
/** After `disconnect` the mesh closes the socket with the final close code; after this time the SDK closes it. */
export const DISCONNECT_GRACE = 2 * SECOND;
/** How long `close()` waits for the other side's part of the closing handshake. */
export const CLOSE_GRACE = 1 * SECOND;

export const RECONNECT_BASE = 500;
export const RECONNECT_CAP = 30 * SECOND;
/** A session of this length was stable: the next backoff starts from the beginning. */
export const STABLE_SESSION_MIN = 60 * SECOND;

/** How long running tasks may take after `drain()`, unless the program says otherwise. */
export const DRAIN_TIMEOUT_DEFAULT = 60 * SECOND;

/** The pause before a peer tries again whose key another process uses. It doubles with each try. */
export const KEY_IN_USE_BASE = 5 * SECOND;
export const KEY_IN_USE_CAP = 5 * MINUTE;
/** The longest pause that the mesh may ask for when it rejects a peer. */
export const REJECTION_PAUSE_MAX = 5 * MINUTE;

/** go-p2p requests that are answered at once; further ones are refused. */
export const CONCURRENT_REQUESTS_MAX = 16;

/** How often a peer checks whether its event loop was blocked, and for how long it must have been to be reported. */
export const LOOP_CHECK_INTERVAL = 1 * SECOND;
export const LOOP_BLOCKED_MIN = 5 * SECOND;

/** A handler that runs for this long after its attempt has ended is reported: it occupies a slot. */
export const UNSETTLED_HANDLER_WARNING = 5 * SECOND;
/** How long a handler in a thread may take to settle after its signal has aborted; then its thread is ended. */
export const THREAD_ABORT_GRACE = 1 * SECOND;
/** How long a thread may take to load the handlers' module. */
export const THREAD_LOAD_TIMEOUT = 30 * SECOND;
/** A thread informs the peer's thread of progress at most this often. */
export const THREAD_PROGRESS_INTERVAL = 100;

/** Renewals per lease: the loss of one message does not lose the lease. */
export const RENEWALS_PER_LEASE = 3;
/** A lease is not renewed more often than this, however short the mesh says that it is. */
export const RENEWAL_INTERVAL_MIN = 100;
/** Progress is sent at most this often; of faster reports only the newest is sent. */
export const PROGRESS_INTERVAL = 1 * SECOND;
/** The mesh is asked to confirm a result after this time, so that one ping asks for those of several tasks. */
export const CONFIRMATION_DELAY = 100;
/**
 * Unconfirmed results that a peer keeps: this many, or two for each of its slots if that is more. The mesh leaves no more
 * tasks to a peer than it has slots and one, so results beyond that were processed. Above it the oldest is dropped.
 */
export const UNCONFIRMED_RESULTS_MIN = 64;
export const UNCONFIRMED_RESULTS_PER_SLOT = 2;
/** How often an accept is sent again when the mesh answers `unavailable`. A result is repeated as long as the session lasts. */
export const ACCEPT_RETRIES_MAX = 2;
/** The pause before that, beyond the time that the mesh names; it doubles with each retry of a result. */
export const ANSWER_RETRY_BASE = 500;
export const ANSWER_RETRY_CAP = 10 * SECOND;
/** The longest time that the mesh may name for it. */
export const ANSWER_RETRY_AFTER_MAX = 5 * MINUTE;
/** Message IDs kept against replay, across sessions, because go-p2p's shared key never changes. */
export const REPLAY_FILTER_IDS_MAX = 1_024;

/** One long poll for a task's end over HTTP: below the idle timeouts of common proxies. */
export const TASK_WAIT_ROUND = 25 * SECOND;
/** How often `follow` polls a task of a mesh that has no stream of events for it. */
export const TASK_POLL_INTERVAL = 1 * SECOND;
/** A stream of events is given up of which nothing was heard for three of its heartbeats. */
export const EVENT_SILENCE_MAX = 45 * SECOND;
/** Tasks that begin to be followed within this time share one request. */
export const WATCH_GATHER = 20;
/** For this time a stream that was refused is not asked for again. */
export const STREAM_REFUSED_FOR = 1 * MINUTE;
/** `follow` reads its task at least this often, whatever its stream says. */
export const FOLLOW_READ_INTERVAL = 1 * MINUTE;
/** How long an HTTP request may take beyond the time that it asked the mesh to wait. */
export const REQUEST_TIMEOUT = 30 * SECOND;
/** A large result has up to 25 MiB: 5 min suffice at 0.7 Mbit/s. */
export const UPLOAD_TIMEOUT = 5 * MINUTE;
/** How long a source of discovery may take to answer, and how long one that has just failed may take. */
export const SOURCE_TIMEOUT = 10 * SECOND;
export const FAILED_SOURCE_TIMEOUT = 2_500;
/** For this time a source that failed is asked after the others, once. */
export const SOURCE_FAILED_FOR = 10 * SECOND;
/** For this time a source that withheld something is asked last. */
export const SOURCE_DISTRUSTED_FOR = 1 * MINUTE;
/** How old a signed list of peers may be: 12 times the interval at which the mesh renews the directory of its replicas. */
export const DIRECTORY_AGE_MAX = 1 * HOUR;
/**
 * How long a call that waits for a task goes on without an answer of the mesh, unless the program says otherwise: a deploy and the
 * restart of a mesh of one's own take seconds, a reboot of its machine less than a minute.
 */
export const OUTAGE_DEFAULT = 60 * SECOND;
/** The last try within an outage may take this long. */
export const OUTAGE_LAST_TRY = 1 * SECOND;
export const HTTP_RETRIES = 4;
export const HTTP_RETRY_BASE = 200;
export const HTTP_RETRY_CAP = 5 * SECOND;
/** A request is not retried if `Retry-After` is longer than this: the caller decides. */
export const HTTP_RETRY_AFTER_MAX = 30 * SECOND;

/**
 * The largest answer of the API that is read, except results and records: far above a page of tasks or pointers. A server that sends
 * more is given up.
 */
export const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;
/** The largest problem document that is read. */
export const PROBLEM_BYTES_MAX = 64 * 1_024;
/** How far a proved mesh may correct this machine's clock, for one dial. A clock that is further off must be set. */
export const CLOCK_CORRECTION_MAX = 24 * HOUR;
