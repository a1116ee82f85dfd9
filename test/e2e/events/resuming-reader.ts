import { setTimeout as sleep } from "node:timers/promises";
import type { EventView } from "../../../src/protocol/http.ts";

/** Pause between tries while the mesh does not answer. */
const RETRY_MS = 50;

/** A client of a stream of events that opens it again where it was, as a browser does. */
export class ResumingReader {
  readonly events: EventView[] = [];
  /** Gaps, and what else is no event. */
  readonly others: string[] = [];
  readonly #url: string;
  readonly #token: string;
  readonly #abort = new AbortController();
  #position: string | null = null;
  /** How often a stream was opened. */
  opened = 0;
  readonly done: Promise<void>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.done = this.#run();
  }

  close(): Promise<void> {
    this.#abort.abort();
    return this.done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await this.#read().catch(() => {});
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #read(): Promise<void> {
    const response = await fetch(this.#url, {
      headers: {
        Accept: "text/event-stream",
        Authorization: `Bearer ${this.#token}`,
        ...(this.#position !== null && { "Last-Event-ID": this.#position }),
      },
      signal: this.#abort.signal,
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    this.opened++;
    let text = "";
    for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    ) as AsyncIterable<string>) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop() ?? "";
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
    const [id, type, data] = [field("id"), field("event"), field("data")];
    if (type !== null && data !== null) {
      const event = JSON.parse(data) as EventView;
      if (event.type === type) this.events.push(event);
      else this.others.push(block);
    }
    // What was taken counts as read only with its position.
    if (id !== null) this.#position = id;
  }
}
