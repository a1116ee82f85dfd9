import { DAY, HOUR, MINUTE, SECOND } from "../base/clock.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;

/** What the specifications fix: changing one breaks a peer somewhere. */
export const GO_P2P_VERSION = "1.0";
/** Bytes of X25519 keys and of go-p2p's challenge. */
export const KEY_BYTES = 32;
export const CHALLENGE_BYTES = 32;
/** A peer ID is this many bytes of SHA-256(public key), in hex. */
export const PEER_ID_BYTES = 16;
/** go-p2p's default `MaxMessageSize`: neither side may send a larger frame. */
export const FRAME_BYTES_MAX = 1 * MiB;
/** A handshake is a few hundred bytes; what has proved nothing may not make the mesh read more than this. */
export const HANDSHAKE_BYTES_MAX = 16 * KiB;
/** muster.2's Noise prologue, WebSocket subprotocol, and the most that one of its handshake messages may hold. */
export const MUSTER_2_PROLOGUE = "muster/2";
export const MUSTER_2_SUBPROTOCOL = "muster.2";
export const HELLO_BYTES_MAX = 4 * KiB;
/** How far a connecting peer's clock may lie from the gateway's. */
export const CONNECT_TOLERANCE = 60 * SECOND;
/** Sockets of one peer's object that may be within their handshake at once. */
export const UNPROVED_SOCKETS_MAX = 2;
/** Version that every RPC between Muster's own objects carries. */
export const RPC_VERSION = 2;

/** Sessions. */
export const HANDSHAKE_DEADLINE = 10 * SECOND;

/** Liveness. */
/** What a muster.2 peer sends as text, and what the platform answers without waking anything. */
export const HEARTBEAT = "ping";
export const HEARTBEAT_ANSWER = "pong";
/** Networks drop sockets that are idle for two minutes, some sooner. */
export const HEARTBEAT_INTERVAL = 25 * SECOND;
/** Silence after which a peer that beats is doubted: two beats are missing. */
export const SILENCE_MAX = 55 * SECOND;
/** How long after its last sign of life a peer that beats is looked at again: idle, while it holds a lease, suspect. */
export const IDLE_DEADLINE = 15 * MINUTE;
export const LEASED_DEADLINE = 60 * SECOND;
export const SUSPECT_DEADLINE = 30 * SECOND;
/** go-p2p drops a connection that has carried no frame for 40 s; who does not beat is pinged this often. */
export const PING_INTERVAL = 30 * SECOND;
export const PONG_TIMEOUT = 10 * SECOND;
/** Misses in a row after which a peer is stale; after the first it is suspect. */
export const MISSES_MAX = 2;
/** An alarm that rings later than this makes the object doubt itself before its peer. */
export const LATENESS_TOLERATED = 1 * SECOND;
/** The most by which an answer's deadline is put off because the object itself was late. */
export const PATIENCE_MAX = 60 * SECOND;
/** The coordinator hears of a steady peer this often. */
export const TELL_INTERVAL = 1 * HOUR;
/** What peers held that fell silent in masses rests for up to this long before others get it. */
export const CORRELATED_FAILURE_PAUSE = 60 * SECOND;
/** A peer that is away for this long is evicted, unless configured otherwise. */
export const PEER_RETENTION = 30 * DAY;
/** How long what must outlive a peer's record is kept. */
export const TOMBSTONE_RETENTION = 400 * DAY;
/** Message-ID hashes remembered per session, against replay. */
export const ID_WINDOW = 256;
/** Frames that do not decrypt, or messages out of place, that a session survives. */
export const PENALTIES_MAX = 2;

/** Frames of one socket that may wait for their turn; a peer that sends faster than this is cut off. */
export const FRAMES_WAITING_MAX = 256;
export const FRAME_BYTES_WAITING_MAX = 4 * MiB;
/** How long one object waits for another before it calls it unavailable. */
export const RPC_TIMEOUT = 5 * SECOND;

/** Tasks. */
export const TASK_PAYLOAD_BYTES_MAX = 256 * KiB;
export const TASK_RESULT_BYTES_MAX = 256 * KiB;
/** A larger result goes to KV, whose values end here. */
export const TASK_LARGE_RESULT_BYTES_MAX = 25 * MiB;
/** A large result may be this long on its way; what then belongs to no task is deleted. */
export const RESULT_UPLOAD_MAX = 1 * HOUR;
/** Large results of one task that may be on their way: one, and what was begun again after a break. */
export const RESULT_UPLOADS_MAX = 8;
export const TASK_ERROR_CHARS_MAX = 2_000;
/** Attempts lost with their peers count, for they may have had effects: enough for some, where sockets break all the time. */
export const TASK_ATTEMPTS_DEFAULT = 5;
export const TASK_ATTEMPTS_MAX = 20;
export const TASK_DEADLINE_DEFAULT = 1 * HOUR;
export const TASK_DEADLINE_MAX = 30 * DAY;
export const LEASE_DEFAULT = 60 * SECOND;
export const LEASE_MAX = 1 * HOUR;
/** An offer that is not accepted in this time counts as refused. */
export const ACCEPT_TIMEOUT = 5 * SECOND;
/** First pause before a failed task is tried again; doubles with each attempt up to the maximum. */
export const RETRY_BACKOFF = 500;
export const RETRY_BACKOFF_MAX = 1 * MINUTE;
/** What a caller may ask for instead. */
export const RETRY_BACKOFF_LIMIT = 1 * DAY;
/** How far ahead a task may be scheduled. */
export const NOT_BEFORE_MAX = 30 * DAY;
/** One step of priority is worth this much waiting: so no stream of urgent work starves the rest for good. */
export const PRIORITY_STEP = 1 * MINUTE;
export const PRIORITY_MAX = 100;
/** Peers that one task may name as to be avoided. */
export const AVOID_MAX = 32;
/** Tasks in one batch. */
export const BATCH_MAX = 100;
/** Attempts that a returning peer names: some 60 bytes each, within the 4 KiB of its hello. */
export const HELD_MAX = 40;
export const PROGRESS_MESSAGE_CHARS_MAX = 500;
/** Tasks queued at once; one more is refused with a retry hint. */
export const QUEUE_MAX = 10_000;
export const SLOTS_MAX = 256;
export const CAPABILITIES_MAX = 32;
/** How long an idempotency key answers with the task it made. */
export const IDEMPOTENCY_RETENTION = 30 * DAY;
/** How long measurements are gathered before they are written: what a crash may lose. */
export const MEASUREMENTS_DELAY = 2 * SECOND;
/** How long it is kept what a choice was made of. */
export const CHOICE_RETENTION = 7 * DAY;
/** How long an ended task is kept. */
export const TASK_RETENTION = 30 * DAY;
/** How long a large result lies in the store: so that its task goes first. */
export const RESULT_RETENTION = TASK_RETENTION + DAY;

/** Round trips between peers, as they report them: in one message, how often a report counts, kept of one peer. */
export const RTTS_MAX = 16;
export const RTTS_INTERVAL = 10 * SECOND;
export const RTT_PAIRS_MAX = 64;
/** A longer round trip is none of the network's. */
export const RTT_MAX_MS = 10 * SECOND;

/** Requests to one peer, over HTTP. */
export const REQUEST_TIMEOUT_DEFAULT = 10 * SECOND;
export const REQUEST_TIMEOUT_MAX = 60 * SECOND;
/** Requests that one session has under way; the oldest give way. */
export const REQUESTS_OUTSTANDING_MAX = 16;

/** HTTP. */
/** Payload limit plus room for the rest of the request. */
export const BODY_BYTES_MAX = 320 * KiB;
/** A batch as a whole: what one coordinator takes in one call without keeping others waiting. */
export const BATCH_BODY_BYTES_MAX = 4 * MiB;
export const WEBHOOK_BODY_BYTES_MAX = 1 * MiB;
export const WAIT_SECONDS_MAX = 60;
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 500;
/** How far a signed timestamp may lie from the mesh's clock (Standard Webhooks). */
export const SIGNATURE_TOLERANCE = 300 * SECOND;
export const WEBHOOK_SOURCES_MAX = 100;
/** Secrets of one source: the old one, the new one, and one to spare. Each costs a MAC over whatever anybody sends. */
export const WEBHOOK_SECRETS_MAX = 3;
export const WEBHOOK_FILTERS_MAX = 10;
/** Deliveries of one source that are remembered, and for how long. */
export const WEBHOOK_DELIVERIES_KEPT = 100;
export const WEBHOOK_DELIVERY_RETENTION = 7 * DAY;
/** A larger body is not kept for a replay: 100 sources fill 2 GB of the 10 there are with 100 of these each, sealed, in base64. */
export const WEBHOOK_KEPT_BODY_BYTES_MAX = 128 * KiB;

/** Callbacks. */
/** Attempts to deliver one, the first included. With the pauses below the last is made about two days after the first. */
export const CALLBACK_ATTEMPTS_MAX = 12;
/** First pause before a callback is tried again; four times as long with each attempt, up to the maximum. */
export const CALLBACK_BACKOFF = 2 * SECOND;
export const CALLBACK_BACKOFF_MAX = 12 * HOUR;
/** How long a receiver may take to answer. */
export const CALLBACK_TIMEOUT = 15 * SECOND;

/** Access. */
export const JOIN_KEY_LIFE_DEFAULT = 7 * DAY;
export const JOIN_KEY_LIFE_MAX = 365 * DAY;
export const JOIN_KEYS_MAX = 1_000;
export const API_TOKENS_MAX = 1_000;
/** How long an audit entry is kept. */
export const AUDIT_RETENTION = 400 * DAY;
/** How long a rotated peer's old ID leads to its record, and both keys of a mesh that rotates are accepted. */
export const ROTATION_WINDOW = 30 * DAY;
/** Peers connected to one mesh at once, unless configured otherwise. */
export const PEERS_CONNECTED_MAX = 20_000;
/** Messages of one session: a burst, then so many a second (go-p2p's own limits). */
export const MESSAGES_BURST = 100;
export const MESSAGES_PER_SECOND = 50;
/** Handshakes of one address (one /64 of IPv6) in a minute. */
export const HANDSHAKES_PER_MINUTE = 60;

/** Reconnecting. */
/** Peers that return after a break, a second, unless configured otherwise: what one coordinator admits with ease. */
export const RECONNECTS_PER_SECOND = 100;
export const RECONNECT_POSITION_MAX = 10_000_000;

/** Dialling peers that listen. */
/** Dialled sessions at once, unless configured otherwise: none of them can hibernate, and memory is billed. */
export const DIALS_MAX = 20;
/** Addresses that may be registered. */
export const DIALS_REGISTERED_MAX = 1_000;
/** How long the WebSocket may take to open. The handshake behind it has its own 10 s. */
export const DIAL_CONNECT_DEADLINE = 10 * SECOND;
/** An attempt of which nothing is heard for this long has failed: connecting, handshake and admission fit into it. */
export const DIAL_DEADLINE = 45 * SECOND;
/** Pause before an address is dialled again; doubles with each failure in a row up to the maximum. */
export const DIAL_BACKOFF = 5 * SECOND;
export const DIAL_BACKOFF_MAX = 15 * MINUTE;
/** A dialled session that lasted this long shows that the peer is well: the next pause is the first one again. */
export const DIAL_STEADY = 1 * MINUTE;
/** While more addresses are due than there are places, an idle dialled session gives its place up after this. */
export const DIAL_TURN = 15 * MINUTE;

/** Gossip. */
export const ADDRESS_CHARS_MAX = 200;
/** Peers in one advert. */
export const ADVERT_PEERS_MAX = 32;
/** A session may send one advert in this time. */
export const ADVERT_INTERVAL = 1 * MINUTE;
/** Peers that one teller may have told of, and all tellers together; one more, and the oldest is forgotten. */
export const ADVERTISED_PER_PEER_MAX = 64;
export const ADVERTISED_MAX = 10_000;
/** What nobody has repeated for so long is forgotten; */
export const ADVERTISED_RETENTION = 1 * DAY;
/** a repetition is written down only this long after the last one, for each costs rows. */
export const ADVERTISED_REFRESH = 6 * HOUR;
/** Pointers in the mesh's answer to an advert. */
export const SAMPLE_POINTERS_MAX = 16;

/** Discovery. */
/** How long an epoch's keys serve before the next ones do. */
export const EPOCH_SPAN = 24 * HOUR;
/** From an epoch's opening until all that was published under it runs out: what replaces it has the rest of the time. */
export const EPOCH_LIFE = 36 * HOUR;
/** Epochs open at least this far apart: revocations in between share the next one. */
export const EPOCH_INTERVAL = 10 * MINUTE;
/** A new epoch's records are sealed over this time, in an order drawn by lot. */
export const RESEAL_SPREAD = 1 * MINUTE;
/** How long a blob outlives its peer's session, for a peer that comes back as it was. */
export const BLOB_LINGER = 2 * MINUTE;
/** A blob whose storing began this long ago and came to nothing is an orphan. */
export const ORPHAN_AGE = 10 * MINUTE;
/** KV writes and deletions that the mesh allows itself for each peer-day, and those that a small mesh has beside. */
export const KV_WRITES_PER_PEER_DAY = 4;
export const KV_WRITES_SPARE = 200;
/** When the budget is spent, publishing looks again after this. */
export const BUDGET_PAUSE = 10 * MINUTE;
/** Bytes of a blob that a reader takes: a record with everything as long as it may be, and room. */
export const BLOB_BYTES_MAX = 64 * KiB;
/** Bytes that a sealed form is filled up to, or the next power of two. */
export const RECORD_BYTES_MIN = 1 * KiB;
