/**
 * Limits and timings. The first part comes from specifications; the second part is this implementation's choice.
 * Times are milliseconds unless the name says otherwise; sizes are bytes where the name says so.
 */
import { DAY, HOUR, MINUTE, SECOND } from "../base/clock.ts";

export * from "./task-limits.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;

// ---------------------------------------------------------------------------------------------------------------------
// From specifications. A peer or a caller relies on each of these values.
// ---------------------------------------------------------------------------------------------------------------------

// go-p2p 1.0

export const GO_P2P_VERSION = "1.0";
/** An X25519 public or private key (RFC 7748). */
export const KEY_BYTES = 32;
/** The random challenge in go-p2p's handshake. */
export const CHALLENGE_BYTES = 32;
/** A peer ID is this many bytes of SHA-256(public key), written in hex. */
export const PEER_ID_BYTES = 16;
/** go-p2p's default `MaxMessageSize`: neither side may send a larger frame. */
export const FRAME_BYTES_MAX = 1 * MiB;
/** Messages of one session: a burst, then a steady rate. go-p2p enforces the same limits on its side. */
export const MESSAGES_BURST = 100;
export const MESSAGES_PER_SECOND = 50;

// muster.2

/** The prologue that both sides mix into the Noise handshake hash. */
export const MUSTER_2_PROLOGUE = "muster/2";
/** The WebSocket subprotocol (`Sec-WebSocket-Protocol`). */
export const MUSTER_2_SUBPROTOCOL = "muster.2";
/** The largest Noise handshake message. The peer's hello is the payload of the third one. */
export const HELLO_BYTES_MAX = 8 * KiB;
/** The largest difference between the time in a connecting peer's URL and the gateway's clock. */
export const CONNECT_CLOCK_SKEW_MAX = 60 * SECOND;
/** The text frame that a muster.2 peer sends as a heartbeat. */
export const HEARTBEAT_REQUEST = "ping";
/** The answer, which the platform sends without waking the Durable Object. */
export const HEARTBEAT_RESPONSE = "pong";
/** Attempts that a returning peer may name: about 60 bytes each, so that they fit into `HELLO_BYTES_MAX`. */
export const HELD_TASKS_MAX = 40;
/** The highest `slot` in a `reconnect` time. It only keeps the number in a safe range. */
export const RECONNECT_POSITION_MAX = 10_000_000;

// Standard Webhooks

/** The largest difference between a signed timestamp and the mesh's clock. */
export const SIGNATURE_TOLERANCE = 300 * SECOND;

// ---------------------------------------------------------------------------------------------------------------------
// Of this implementation. Each value can change without breaking a peer; HTTP limits are part of the API's description.
// ---------------------------------------------------------------------------------------------------------------------

// Durable Objects

/** The version of the RPC interface between Muster's own objects. A call carries it, so that a mixed deployment fails cleanly. */
export const RPC_VERSION = 6;
/** How long one object waits for another before it answers `unavailable`. */
export const RPC_TIMEOUT = 5 * SECOND;

// Sessions

/** A handshake frame has a few hundred bytes; an unauthenticated sender may not make the mesh read more than this. */
export const HANDSHAKE_BYTES_MAX = 16 * KiB;
/** From accepting the socket until the peer has proved its key. */
export const HANDSHAKE_TIMEOUT = 10 * SECOND;
/** Handshakes from one address (one /64 of IPv6) in a minute. */
export const HANDSHAKES_PER_MINUTE = 60;
/** Requests of one address in a minute whose token, ticket or reader token is wrong. Right ones are not counted. */
export const FAILED_AUTHORIZATIONS_PER_MINUTE = 60;
/** Webhook deliveries of one address in a minute that name no source or are not signed correctly. Others are not counted. */
export const FAILED_DELIVERIES_PER_MINUTE = 60;
/** Reads of discovery by one address in a minute without a token that was accepted before. A page of pointers is one read. */
export const DISCOVERY_READS_PER_MINUTE = 600;
/** Sockets of one peer that may be in their handshake at the same time. */
export const UNAUTHENTICATED_SOCKETS_MAX = 2;
/** Hashes of message IDs that a session remembers, to detect replays. */
export const REPLAY_WINDOW_IDS = 256;
/** Undecryptable or misplaced messages that a session tolerates. One more closes it. */
export const VIOLATIONS_TOLERATED = 2;
/** Frames of one socket that may wait for processing. A peer that sends faster is disconnected. */
export const FRAME_QUEUE_MAX = 1_024;
export const FRAME_QUEUE_BYTES_MAX = 8 * MiB;
/** Frames whose commands the coordinator has not answered, and their bytes, above which further frames wait for their step. */
export const STEPPED_MAX = 256;
export const STEPPED_BYTES_MAX = 2 * MiB;
/** Answers to one offer that spend no message allowance: an attempt is accepted, begun if it was prefetched, and ended. */
export const ANSWERS_PER_ATTEMPT = 3;
/** Progress messages per second that an attempt may send without spending its peer's message allowance. */
export const PROGRESS_PER_SECOND = 2;
/** Peers connected to one mesh at the same time; the default of `PEERS_MAX`. */
export const PEERS_CONNECTED_MAX = 20_000;

// Liveness

/** How often a muster.2 peer sends a heartbeat. Networks drop sockets that are idle for two minutes, some sooner. */
export const HEARTBEAT_INTERVAL = 25 * SECOND;
/** A peer that sends heartbeats becomes suspect after this long without one: two heartbeats are missing. */
export const HEARTBEAT_TIMEOUT = 55 * SECOND;
/** When a peer that sends heartbeats is checked after its last sign of life: without a lease, with one, and while suspect. */
export const IDLE_CHECK_INTERVAL = 15 * MINUTE;
export const LEASED_CHECK_INTERVAL = 60 * SECOND;
export const SUSPECT_CHECK_INTERVAL = 30 * SECOND;
/** How often a peer without heartbeats is pinged. go-p2p's generation 1 closes a connection that carried no frame for 40 s. */
export const PING_INTERVAL = 30 * SECOND;
/** How often a peer of generation 2 is pinged. Its nodes close a connection that carried no frame for 30 s. */
export const PING_INTERVAL_GENERATION_2 = 20 * SECOND;
/** A message that is stamped too early leads to a ping, which shows whether the peer's clock was set back, if the last is this old. */
export const CLOCK_CHECK_INTERVAL = 5 * SECOND;
export const PONG_TIMEOUT = 10 * SECOND;
/** Unanswered pings in a row after which a peer is stale. After the first it is suspect. */
export const MISSED_PONGS_MAX = 2;
/** An alarm that fires later than this shows that the object itself was delayed, so the peer gets more time to answer. */
export const ALARM_DELAY_TOLERANCE = 1 * SECOND;
/** The longest extension that a peer gets because the object itself was delayed. */
export const DEADLINE_EXTENSION_MAX = 60 * SECOND;
/** How often a session reports a peer without changes to the coordinator. */
export const STATUS_REPORT_INTERVAL = 1 * HOUR;
/** How long tasks of peers that failed together wait for these peers to return before other peers get them. */
export const CORRELATED_FAILURE_PAUSE = 60 * SECOND;
/** A peer that is away for this long is evicted; the default of `PEER_RETENTION_DAYS`. */
export const PEER_RETENTION = 30 * DAY;
/** How long tombstones and other facts that must outlive a peer's record are kept. */
export const TOMBSTONE_RETENTION = 400 * DAY;

// Reconnecting

/** The time over which peers spread their reconnects after a mass disconnect; the default of `RECONNECT_SPREAD_SECONDS`. */
export const RECONNECT_SPREAD = 2 * SECOND;
/** No reconnect position delays a peer for longer, and none is drawn beyond it. */
export const RECONNECT_DELAY_MAX = 10 * MINUTE;

// Measurements

/** How long measurements are collected in memory before they are written. A crash loses at most this much. */
export const MEASUREMENTS_FLUSH_DELAY = 2 * SECOND;
/** Round trips between peers: entries in one report. */
export const RTTS_PER_MESSAGE_MAX = 16;
/** A session's further reports within this time are ignored. */
export const RTT_REPORT_INTERVAL = 10 * SECOND;
/** The newest pairs that are kept of one peer. */
export const RTT_PAIRS_PER_PEER_MAX = 64;
/** A longer time, in milliseconds, does not measure the network, but a process that was suspended. */
export const RTT_MAX_MS = 10 * SECOND;

// Requests to one peer (`POST /v1/peers/:id/requests`)

export const REQUEST_TIMEOUT_DEFAULT = 10 * SECOND;
export const REQUEST_TIMEOUT_MAX = 60 * SECOND;
/** Requests that one session has in progress. A further one cancels the oldest. */
export const REQUESTS_OUTSTANDING_MAX = 16;

// HTTP

/** The payload limit, and 64 KiB for the rest of the request. */
export const BODY_BYTES_MAX = 320 * KiB;
/** The payload limit of a deploy, and 64 KiB for the rest of the request. */
export const DEPLOY_BODY_BYTES_MAX = 1_084 * KiB;
/** A whole batch: what one coordinator handles in one call without delaying other calls. */
export const BATCH_BODY_BYTES_MAX = 4 * MiB;
export const WAIT_SECONDS_MAX = 60;
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 500;

// Webhooks

/** The largest body that a source may take: GitHub sends up to 25 MB. */
export const WEBHOOK_BODY_BYTES_MAX = 25 * MiB;
/** The largest body of a source that states no limit, and whose scheme has no larger one. */
export const WEBHOOK_BODY_BYTES_DEFAULT = 1 * MiB;
/** A body up to this size is in memory as a whole; of a larger one only what is selected. */
export const WEBHOOK_BUFFERED_BYTES_MAX = 1 * MiB;
/** The longest value that a filter compares: 4,096 characters, each of which may be written in six. */
export const WEBHOOK_COMPARED_BYTES_MAX = 32 * KiB;
/** What is selected of one event: more than a task holds, because an index from the end keeps elements that are not the last ones. */
export const WEBHOOK_SELECTED_BYTES_MAX = 1 * MiB;
/** How long the body of a delivery may take. */
export const WEBHOOK_BODY_TIME_MAX = 60 * SECOND;
export const WEBHOOK_SOURCES_MAX = 100;
/** Secrets of one source: old, new and one spare. An unauthenticated delivery costs one MAC for each. */
export const WEBHOOK_SECRETS_MAX = 3;
export const WEBHOOK_FILTERS_MAX = 10;
/** Deliveries that are kept of one source, and for how long. */
export const WEBHOOK_DELIVERIES_PER_SOURCE_MAX = 100;
export const WEBHOOK_DELIVERY_RETENTION = 7 * DAY;
/** A larger body is not stored for replay, only the values that the source reads. 100 sources with 100 such bodies each, sealed and in base64, use 2 of 10 GB. */
export const WEBHOOK_STORED_BODY_BYTES_MAX = 128 * KiB;
/** What is stored for replay of a larger body: all that a task can be made of, and what its filters read. */
export const WEBHOOK_STORED_VALUES_BYTES_MAX = 320 * KiB;

// Callbacks

/** Attempts to deliver one callback. With the pauses below, the last is made about two days after the first. */
export const CALLBACK_ATTEMPTS_MAX = 12;
/** The pause before the first retry. It is multiplied by four with each attempt up to the maximum. */
export const CALLBACK_BACKOFF_INITIAL = 2 * SECOND;
export const CALLBACK_BACKOFF_MAX = 12 * HOUR;
/** How long a receiver may take to answer. */
export const CALLBACK_TIMEOUT = 15 * SECOND;
/** The longest lifetime of an API token that expires. */
export const API_TOKEN_LIFETIME_MAX = 3_650 * DAY;
/** A token that was revoked or has expired stays in the list for this long: longer than its tasks and their callbacks. */
export const API_TOKEN_RETENTION = 90 * DAY;
/** How long the callback secret before a rotation signs, too. */
export const CALLBACK_OVERLAP_DEFAULT = DAY;
export const CALLBACK_OVERLAP_MAX = 7 * DAY;
/** Rotated callback secrets (pairs of owner and origin) of one owner, and of all. */
export const CALLBACK_ROTATIONS_PER_OWNER_MAX = 100;
export const CALLBACK_ROTATIONS_MAX = 10_000;

// Access

export const JOIN_KEY_LIFETIME_DEFAULT = 7 * DAY;
export const JOIN_KEY_LIFETIME_MAX = 365 * DAY;
export const JOIN_KEYS_MAX = 1_000;
/** Revoked keys up to which a key that the mesh has no record of can be revoked. Only the operator adds them. */
export const DENY_ENTRIES_MAX = 100_000;
export const API_TOKENS_MAX = 1_000;
export const AUDIT_RETENTION = 400 * DAY;
/**
 * Entries of the audit log that are kept besides the operator's: of one actor, of listed keys and other tokens together, of
 * strangers together. An act that is repeated within the window is counted in one entry.
 */
export const AUDIT_LIMITS = {
  window: 1 * HOUR,
  perActor: 200,
  listed: 50_000,
  stranger: 10_000,
  trimEvery: 250,
} as const;
/** How long a rotated peer's old ID resolves to its record, and how long a rotating mesh accepts both of its keys. */
export const ROTATION_WINDOW = 30 * DAY;
/** How often a peer may rotate its key within that time. */
export const ROTATIONS_MAX = 8;

// Dialing peers that listen

/** Dialed sessions at the same time; the default of `DIALS_MAX`. They can't hibernate, and memory is billed. */
export const DIALED_SESSIONS_DEFAULT = 20;
/** Addresses that may be registered. */
export const DIAL_ADDRESSES_MAX = 1_000;
/** How long opening the WebSocket may take. The handshake that follows has `HANDSHAKE_TIMEOUT`. */
export const DIAL_CONNECT_TIMEOUT = 10 * SECOND;
/** A dial of which the coordinator receives no result in this time has failed. It covers connecting, handshake and admission. */
export const DIAL_REPORT_TIMEOUT = 45 * SECOND;
/** The pause before an address is dialed again. It doubles with each consecutive failure up to the maximum. */
export const DIAL_BACKOFF_INITIAL = 5 * SECOND;
export const DIAL_BACKOFF_MAX = 15 * MINUTE;
/** A dialed session that lasted this long resets the backoff. */
export const DIAL_BACKOFF_RESET_AFTER = 1 * MINUTE;
/** While more addresses are due than sessions are allowed, an idle dialed session is closed after this long. */
export const DIAL_TIME_SLICE = 15 * MINUTE;

// Gossip

export const ADDRESS_CHARS_MAX = 200;
/** Peers in one advert. */
export const ADVERT_PEERS_MAX = 32;
/** A session may send one advert in this time. */
export const ADVERT_INTERVAL = 1 * MINUTE;
/** Advertised peers that are kept of one advertiser, and of all. A further one replaces the oldest. */
export const ADVERTISED_PER_PEER_MAX = 64;
export const ADVERTISED_MAX = 10_000;
/** An advertised peer that is not advertised again in this time is deleted. */
export const ADVERTISED_RETENTION = 1 * DAY;
/** A repeated advert is written at most this often, because each write costs rows. */
export const ADVERTISED_REFRESH = 6 * HOUR;
/** Pointers in the mesh's answer to an advert. */
export const SAMPLE_POINTERS_MAX = 16;

// Discovery

/** How long new records are sealed to one epoch's key. */
export const EPOCH_ROTATION_INTERVAL = 24 * HOUR;
/** From an epoch's start until its records expire. The 12 hours beyond the rotation are for sealing them again. */
export const EPOCH_LIFETIME = 36 * HOUR;
/** Epochs start at least this far apart. Revocations in between share the next epoch. */
export const EPOCH_INTERVAL_MIN = 10 * MINUTE;
/** The records of a new epoch are sealed within this time, in random order. */
export const RESEAL_SPREAD = 1 * MINUTE;
/** How long a blob is kept after its peer disconnected. A peer that returns unchanged in this time needs no new blob. */
export const BLOB_GRACE_PERIOD = 2 * MINUTE;
/** A blob whose upload began this long ago and that was never published is deleted. */
export const ORPHANED_BLOB_AGE = 10 * MINUTE;
/** The mesh's own budget of KV writes and deletions per day: for each peer, and a base amount for small meshes. */
export const KV_WRITES_PER_PEER_DAY = 4;
export const KV_WRITES_BASE_PER_DAY = 200;
/** Records of one peer that are stored in a day, besides those of new epochs. Each is written once, and deleted at most once. */
export const KV_RECORDS_PER_PEER_DAY = 12;
/** When that budget is used up, publishing is tried again after this. */
export const KV_BUDGET_RETRY_INTERVAL = 10 * MINUTE;
/** The largest blob that a reader accepts: a record with every attribute at its limit, and a reserve. */
export const BLOB_BYTES_MAX = 64 * KiB;
/** A sealed record is padded to this size, or to the next power of two, so that its size reveals little. */
export const RECORD_PADDED_BYTES_MIN = 1 * KiB;
