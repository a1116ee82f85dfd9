import { equalJitter, fullJitter } from "../../base/backoff.ts";
import type { Millis } from "../../base/clock.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import { parseJson } from "../../base/json.ts";
import * as shapes from "../../protocol/shapes/events.ts";
import { MusterApiError } from "../errors.ts";
import type { Api } from "../http/api.ts";
import { delayFor, pauseAfter, withRetries } from "../http/request-retry.ts";
import { EVENT_SILENCE_MAX } from "../timings.ts";
import type { EventOptions, MeshEvent } from "./event-options.ts";
import { SseParser, type SseMessage } from "../../base/sse-parser.ts";

export interface FollowOptions extends EventOptions {
  readonly outageMs: Millis;
  /** Called when a stream is open, with the position at which it begins. */
  readonly onOpen?: () => void;
  /** Called with the position after each event, also of events that the filter leaves out. */
  readonly onPosition?: (id: string) => void;
  /** Called when a stream has ended or could not be opened, before the next attempt. */
  readonly onBreak?: () => void;
}

/** A stream has no end that a timer of the request would wait for: the longest delay that timers have. */
const NO_TIMEOUT: Millis = 2 ** 31 - 1;
/** A stream that ends sooner did not work: the next one waits for longer. */
const STABLE_STREAM_MIN: Millis = 5_000;

/**
 * Yields events, and opens the stream again where it was whenever it ends. Throws what the mesh answers if it refuses the stream, and
 * `MusterApiError` (`unreachable`) when it gives no answer for `outageMs`.
 */
export async function* followEvents(
  api: Api,
  options: FollowOptions,
): AsyncGenerator<MeshEvent, void, undefined> {
  const { signal, onOpen, onPosition, onBreak } = options;
  let { after } = options;
  for (let failures = 0; ;) {
    const openedAt = performance.now();
    const stream = await openStream(api, { ...options, after });
    try {
      let isOpen = false;
      for await (const message of stream.messages()) {
        after = message.id ?? after;
        const event = eventOf(message);
        if (event !== null) yield event;
        if (message.id !== null) onPosition?.(message.id);
        if (!isOpen) onOpen?.();
        isOpen = true;
      }
    } finally {
      stream.close();
    }
    signal?.throwIfAborted();
    onBreak?.();
    failures = performance.now() - openedAt >= STABLE_STREAM_MIN ? 0 : failures + 1;
    await delayFor(streamPause(failures), signal);
  }
}

/** Many clients of a mesh that restarts do not come back at the same moment. */
const streamPause = (failures: number): Millis =>
  failures <= 1
    ? fullJitter(pauseAfter(1), Math.random())
    : equalJitter(pauseAfter(failures), Math.random());

const openStream = (
  api: Api,
  {
    types,
    kind,
    owner,
    peer,
    tasks,
    after,
    signal,
    outageMs,
    onBreak,
  }: FollowOptions & { after: string | undefined },
): Promise<Stream> =>
  withRetries(
    async () => {
      const watchdog = new Watchdog(signal);
      try {
        const response = await api.response({
          path: "v1/events",
          query: { type: types?.join(","), kind, owner, peer, task: tasks?.join(","), after },
          headers: { accept: "text/event-stream" },
          idempotent: false,
          timeout: NO_TIMEOUT,
          signal: watchdog.signal,
        });
        return new Stream(response, watchdog);
      } catch (error) {
        watchdog.stop();
        signal?.throwIfAborted();
        onBreak?.();
        throw watchdog.isSilent ? new MusterApiError("unreachable", 0, SILENT) : error;
      }
    },
    { random: Math.random, signal, outageMs },
  );

const SILENT = "the mesh does not answer";

/** Aborts when the caller does, or when nothing is heard for a while: a connection can break without a word. */
class Watchdog {
  readonly #silent = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(signal: AbortSignal | undefined) {
    const { signal: silent } = this.#silent;
    this.signal = signal === undefined ? silent : AbortSignal.any([silent, signal]);
    this.watch();
  }

  get isSilent(): boolean {
    return this.#silent.signal.aborted;
  }

  watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), EVENT_SILENCE_MAX);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.stop();
    this.#silent.abort();
  }
}

/** One response of the mesh. */
class Stream {
  readonly #body: ReadableStreamDefaultReader<Uint8Array>;
  readonly #watchdog: Watchdog;

  constructor({ headers, body, status }: Response, watchdog: Watchdog) {
    const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!isStream || body === null)
      throw new MusterApiError(
        "invalid_response",
        status,
        "v1/events: the answer is no stream of events",
      );
    this.#body = body.getReader();
    this.#watchdog = watchdog;
  }

  /** The messages up to the end of the stream, however it comes about. */
  async *messages(): AsyncGenerator<SseMessage, void, undefined> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    for (;;) {
      // Not while the program handles an event, which may take its time.
      this.#watchdog.watch();
      const read = await this.#body.read().catch(() => null);
      this.#watchdog.stop();
      if (read === null || read.done) return;
      yield* parsed(parser, decoder.decode(read.value, { stream: true }));
    }
  }

  close(): void {
    this.#watchdog.end();
    this.#body.cancel().catch(() => {});
  }
}

function parsed(parser: SseParser, text: string): readonly SseMessage[] {
  try {
    return parser.push(text);
  } catch (error) {
    throw new MusterApiError("invalid_response", 200, `v1/events: ${(error as Error).message}`);
  }
}

/** The event of a message; null for a position, and for events that a newer mesh has. Throws if the mesh ends the stream for good. */
function eventOf({ event, data }: SseMessage): MeshEvent | null {
  if (data === null) return null;
  const json = parseJson(data);
  if (event === "end") {
    const problem = readShape(shapes.StreamEnd, json);
    const { code, detail } = problem.ok ? problem.value : { code: "unauthorized", detail: "" };
    throw new MusterApiError(code, 401, detail);
  }
  if (event === "gap") {
    const gap = readShape(shapes.EventGap, json);
    if (!gap.ok) throw new MusterApiError("invalid_response", 200, `v1/events: ${gap.error}`);
    const { reason, after, until } = gap.value;
    return { type: "gap", id: until, reason, after };
  }
  const read = readShape(shapes.EventView, json);
  return read.ok ? read.value : null;
}
