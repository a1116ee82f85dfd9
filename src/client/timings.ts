import { MINUTE, SECOND } from "../base/clock.ts";

/** How the SDK spends time, in milliseconds. What both sides must agree on stands in protocol/constants.ts. */

/** From dialling to the mesh's answer to the handshake: the mesh's own deadline, and room for TCP and TLS. */
export const DIAL_ATTEMPT_TIMEOUT = 20 * SECOND;
/**
 * Silence after which the socket is given up: over muster.2 three answers in a row to our keepalive are missing, over
 * go-p2p 1.0 two of the mesh's pings, which come every 30 s.
 */
export const MESH_SILENCE_MAX = 75 * SECOND;
/** After `disconnect` the mesh closes, and the close code says why; this long it may take, then this side hangs up. */
export const DISCONNECT_GRACE = 2 * SECOND;
/** How long `close()` waits for the other side's half of the closing handshake. */
export const CLOSE_GRACE = 1 * SECOND;

export const RECONNECT_BASE = 500;
export const RECONNECT_CAP = 30 * SECOND;
/** No turn that a mesh gives, however late, keeps a peer away for longer. */
export const RECONNECT_WAIT_MAX = 10 * MINUTE;
/** A session that lived this long shows that the mesh is well: the next backoff begins anew. */
export const STABLE_SESSION_MIN = 60 * SECOND;

/** Requests of the mesh that are answered at once; more are refused. */
export const CONCURRENT_REQUESTS_MAX = 16;

/** A lease is renewed this many times in its length, so that one lost message does not lose it. */
export const RENEWALS_PER_LEASE = 3;
/** Progress reported faster than this is held back, and only the newest is sent. */
export const PROGRESS_INTERVAL = 1 * SECOND;
/** A result sent this shortly before the socket dropped may not have arrived: it is sent again. */
export const RESULT_RESEND_WINDOW = 30 * SECOND;
/** Unsent results kept while the mesh is away; the oldest goes first, and the mesh gives its task to another. */
export const UNCONFIRMED_RESULTS_MAX = 64;
/** IDs of the mesh's messages that are remembered against replay, across sessions: go-p2p's key never changes. */
export const REPLAY_FILTER_IDS_MAX = 1_024;

/** One round of waiting for a task over HTTP: below the idle limits of common proxies. */
export const TASK_WAIT_ROUND = 25 * SECOND;
/** A task that is followed is looked at this often. */
export const TASK_POLL_INTERVAL = 1 * SECOND;
/** What an HTTP request may take beyond the time that it asked the mesh to wait. */
export const REQUEST_TIMEOUT = 30 * SECOND;
/** A large result has 25 MiB; over a slow line that takes its time. */
export const UPLOAD_TIMEOUT = 5 * 60 * SECOND;
export const HTTP_RETRIES = 4;
export const HTTP_RETRY_BASE = 200;
export const HTTP_RETRY_CAP = 5 * SECOND;
/** A longer `Retry-After` is the caller's to wait for. */
export const HTTP_RETRY_AFTER_MAX = 30 * SECOND;
