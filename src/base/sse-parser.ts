/** One message of a stream of server-sent events (the HTML standard, section 9.2.6). */
export interface SseMessage {
  /** The position that the message sets; null if it sets none. */
  readonly id: string | null;
  readonly event: string;
  /** Null for a message that only sets a position. */
  readonly data: string | null;
}

/** Characters of a message: far above those of an event. A server that sends more is given up. */
const MESSAGE_CHARS_MAX = 64 * 1_024;

/** Takes the text of a stream as it comes, and makes messages of it. */
export class SseParser {
  /** The beginning of a line whose end has not come. */
  #rest = "";
  #id: string | null = null;
  #event = "";
  #data: string[] = [];
  #chars = 0;

  /** The messages that this text completes. Throws a `RangeError` for one that is too long. */
  push(text: string): readonly SseMessage[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const messages = lines.flatMap((line) => this.#line(line));
    if (this.#chars + this.#rest.length > MESSAGE_CHARS_MAX)
      throw new RangeError(`a message of the stream has more than ${MESSAGE_CHARS_MAX} characters`);
    return messages;
  }

  #line(line: string): readonly SseMessage[] {
    if (line === "") return this.#dispatch();
    this.#chars += line.length;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    return [];
  }

  #dispatch(): readonly SseMessage[] {
    const data = this.#data.length === 0 ? null : this.#data.join("\n");
    const message = { id: this.#id, event: this.#event, data };
    this.#id = null;
    this.#event = "";
    this.#data = [];
    this.#chars = 0;
    return message.id === null && message.data === null ? [] : [message];
  }
}
