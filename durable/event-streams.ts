import { MINUTE, type Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { EventStreamInput } from "../src/contract/events.ts";
import { eventFrame, gapFrame, openingFrame } from "../src/coordinator/events/frames.ts";
import { toPosition } from "../src/coordinator/events/position.ts";
import { startOf } from "../src/coordinator/events/start.ts";
import { TOKEN_OVER } from "../src/coordinator/kernel/execute.ts";
import {
  nextChunk,
  withTaken,
  type EventSource,
  type EventStream,
  type FramedEvent,
} from "../src/coordinator/events/stream.ts";
import { HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE } from "../src/protocol/constants.ts";
import {
  EVENT_STREAM_TIMEOUT,
  EVENT_STREAMS_MAX,
  EVENT_STREAMS_OF_OWNER_MAX,
} from "../src/protocol/event-limits.ts";
import { CLOSE } from "../src/protocol/close-codes.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { Registry } from "../src/registry/registry.ts";

/** Streams are fed this often at most: under load one commit follows another. */
const FEED_EVERY: Millis = 50;
/** Events that are read at once for one reader. */
const PAGE_EVENTS = 200;
/** Chunks that one reader gets in one turn: one that catches up does not keep the others waiting. */
const CHUNKS_PER_TURN = 5;
/** How often streams whose gateway sends no heartbeats are looked for. */
const CHECK_EVERY: Millis = MINUTE;

const RETRY_SECONDS = 30;

/** An event stream, as the gateway asks for it. */
export interface StreamRequest extends EventStreamInput {
  /** The ID of the caller's token, or `admin`. */
  readonly owner: string;
}

/**
 * The sockets over which the gateway reads events: one for each stream of a client. They hibernate, and the platform answers the
 * gateway's heartbeats, so a stream without events costs nothing here. What each has got is in its attachment. A reader is sent a
 * bounded number of characters, until it says that it has taken them.
 */
export class EventStreams {
  readonly #ctx: DurableObjectState;
  readonly #registry: Registry;
  readonly #mark: string;
  readonly #streams = new Map<WebSocket, EventStream>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #fedAt: Millis = 0;
  #checkedAt: Millis = 0;
  /** The version of the topology by which the streams were opened. */
  #topology: number;

  constructor(ctx: DurableObjectState, registry: Registry, mark: string) {
    this.#ctx = ctx;
    this.#registry = registry;
    this.#mark = mark;
    this.#topology = registry.cells.topology.version;
    ctx.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair(HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE),
    );
    for (const socket of ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN)
        this.#streams.set(socket, socket.deserializeAttachment() as EventStream);
    }
    registry.events.keepWhile(() => this.#streams.size > 0);
    if (this.#streams.size > 0) this.#schedule();
  }

  /** Opens a stream; the socket is for the gateway. */
  open({ filter, after, owner }: StreamRequest, now: Millis): Result<WebSocket, MusterError> {
    const { events } = this.#registry;
    if (this.#isOver(owner, now)) return err(TOKEN_OVER);
    this.#endSilent(now);
    const full = this.#fullFor(owner);
    if (full !== null) return err(full);
    this.#registry.transaction(() => events.follow(now));
    const start = startOf(events, after, this.#mark);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    const opening = openingFrame(toPosition(start.after, this.#mark));
    const text = start.gap === null ? opening : opening + gapFrame(start.gap);
    const sent = { after: start.after, sent: text.length, taken: 0, toldAt: now };
    this.#save(server, { filter, owner, openedAt: now, ...sent });
    server.send(text);
    this.#schedule();
    return ok(client);
  }

  /** The reader of a stream has taken so many characters. */
  taken(socket: WebSocket, message: string | ArrayBuffer): void {
    const stream = this.#streams.get(socket);
    if (stream === undefined || typeof message !== "string") return;
    this.#save(socket, withTaken(stream, Number(message)));
    this.#schedule();
  }

  closed(socket: WebSocket): void {
    this.#streams.delete(socket);
  }

  /** Ends the streams of tokens that are over, and sends the others what was committed. */
  afterCommit(now: Millis): void {
    this.#endOlder();
    if (this.#streams.size === 0) return;
    this.#endOver(now);
    const newest = this.#registry.events.newest() ?? 0;
    for (const { after } of this.#streams.values()) if (after < newest) return this.#schedule();
  }

  #fullFor(owner: string): MusterError | null {
    const open = [...this.#streams.values()];
    const own = open.filter((stream) => stream.owner === owner).length;
    const [count, max, whose] =
      own >= EVENT_STREAMS_OF_OWNER_MAX
        ? [own, EVENT_STREAMS_OF_OWNER_MAX, "of this token"]
        : [open.length, EVENT_STREAMS_MAX, "of this mesh"];
    if (count < max) return null;
    const detail = `${max} streams of events ${whose} are open, the limit; close one, or read pages of events instead`;
    return { code: "rate_limited", detail, retryAfter: RETRY_SECONDS };
  }

  #isOver(owner: string, now: Millis): boolean {
    return owner !== ADMIN && this.#registry.apiTokens.isOver(owner, now);
  }

  #endOver(now: Millis): void {
    for (const [socket, { owner }] of this.#streams)
      if (this.#isOver(owner, now)) this.#end(socket, CLOSE.denied, TOKEN_OVER.detail);
  }

  /** Ends all streams when the mesh has other cells than before: whoever reads them opens one for each cell. */
  #endOlder(): void {
    const { version } = this.#registry.cells.topology;
    if (version === this.#topology) return;
    this.#topology = version;
    for (const socket of this.#streams.keys())
      this.#end(socket, CLOSE.draining, "the mesh has other cells");
  }

  /** Ends streams whose gateway sends no heartbeats any more. */
  #endSilent(now: Millis): void {
    this.#checkedAt = now;
    for (const [socket, { openedAt }] of this.#streams) {
      const heardAt = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
      if (now - Math.max(heardAt, openedAt) > EVENT_STREAM_TIMEOUT)
        this.#end(socket, CLOSE.timeout, "the gateway sends no heartbeats");
    }
  }

  #end(socket: WebSocket, code: number, reason: string): void {
    this.#streams.delete(socket);
    try {
      socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  #save(socket: WebSocket, stream: EventStream): void {
    this.#streams.set(socket, stream);
    socket.serializeAttachment(stream);
  }

  /** Feeds the streams soon. The timer keeps the object in memory until then. */
  #schedule(): void {
    if (this.#timer !== null) return;
    const wait = Math.min(FEED_EVERY, Math.max(0, this.#fedAt + FEED_EVERY - Date.now()));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#fedAt = Date.now();
      this.#feedAll(this.#fedAt);
    }, wait);
  }

  #feedAll(now: Millis): void {
    if (Math.abs(now - this.#checkedAt) > CHECK_EVERY) this.#endSilent(now);
    const source = this.#source();
    let isBehind = false;
    for (const [socket, stream] of this.#streams)
      if (this.#feed(socket, stream, source, now)) isBehind = true;
    if (isBehind) this.#schedule();
  }

  /** Sends a stream what it lacks; whether there is more. */
  #feed(socket: WebSocket, stream: EventStream, source: EventSource, now: Millis): boolean {
    let current = stream;
    for (let chunks = 0; chunks < CHUNKS_PER_TURN; chunks++) {
      const next = nextChunk(current, source, now);
      if (next === null) return false;
      current = next.stream;
      this.#save(socket, current);
      try {
        if (next.text !== "") socket.send(next.text);
      } catch {
        this.#streams.delete(socket);
        return false;
      }
    }
    return true;
  }

  /** The log as it is now: what many streams read at the same place is read once. */
  #source(): EventSource {
    const { events } = this.#registry;
    const mark = this.#mark;
    const pages = new Map<number, readonly FramedEvent[]>();
    const page = (after: number): readonly FramedEvent[] =>
      events.read(after, PAGE_EVENTS).events.map((logged) => ({
        ...logged,
        frame: eventFrame(logged, mark),
      }));
    return {
      mark,
      oldest: events.oldest() ?? 0,
      page(after) {
        const known = pages.get(after) ?? page(after);
        if (pages.size < PAGES_KEPT) pages.set(after, known);
        return known;
      },
    };
  }
}

/** Pages that one turn keeps: readers that follow live are at the same place. */
const PAGES_KEPT = 20;
/** The owner whose token can't be revoked. */
const ADMIN = "admin";
