import type { WebhookScheme } from "../../protocol/http.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { FormReader, type FormVisitor } from "./form-reader.ts";
import { JsonSelector, type SelectedValues } from "./json-selector.ts";
import type { PathNode } from "./path-tree.ts";

/** Senders of HTML forms: Slack's commands and buttons always send them, GitHub unless it is configured to send JSON. */
const SENDS_FORMS: readonly WebhookScheme[] = ["slack", "github"];

const NO_EVENT = "the body contains no event: it is not JSON, or is nested too deeply";

/**
 * Selects values of the event in a body that comes in chunks. Only the bytes decide whether it is JSON or a form, not
 * `Content-Type`, which the signature does not cover. Nothing may act on what was selected before the signature is verified.
 */
export class EventReader {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #json: JsonSelector;
  readonly #form: FormEvent | null;
  #isText = true;
  #isJson = true;

  constructor(scheme: WebhookScheme, tree: PathNode) {
    this.#json = new JsonSelector(tree);
    this.#form = SENDS_FORMS.includes(scheme) ? new FormEvent(tree) : null;
  }

  write(bytes: Uint8Array): void {
    this.#read(() => this.#decoder.decode(bytes, { stream: true }));
  }

  /** The selected values, or why there is no event in the body. */
  finish(): Result<SelectedValues, string> {
    this.#read(() => this.#decoder.decode());
    if (!this.#isText) return err(NO_EVENT);
    if (this.#isJson && this.#json.finish()) return ok(this.#json);
    const form = this.#form?.finish() ?? null;
    return form === null ? err(NO_EVENT) : ok(form);
  }

  #read(decode: () => string): void {
    if (!this.#isText) return;
    let text: string;
    try {
      text = decode();
    } catch {
      this.#isText = false; // not UTF-8
      return;
    }
    if (text === "") return;
    if (this.#isJson) this.#isJson = this.#json.write(text);
    this.#form?.write(text);
  }
}

/**
 * A form as an object of strings. If its only field is `payload` with a JSON object (GitHub, Slack's buttons), that object. Which of the two
 * it is only its end tells.
 */
class FormEvent implements FormVisitor {
  readonly #reader = new FormReader(this);
  readonly #fields: JsonSelector;
  readonly #payload: JsonSelector;
  #name = "";
  #count = 0;
  #isPayload = false;
  #inValue = false;
  #isForm = true;

  constructor(tree: PathNode) {
    this.#fields = new JsonSelector(tree);
    this.#payload = new JsonSelector(tree);
  }

  write(text: string): void {
    if (this.#isForm) this.#isForm = this.#reader.write(text);
  }

  finish(): SelectedValues | null {
    if (!this.#isForm || !this.#reader.finish()) return null;
    this.#fields.write("}");
    const { isObject } = this.#payload;
    if (this.#count === 1 && this.#isPayload && this.#payload.finish() && isObject)
      return this.#payload;
    return this.#fields.finish() ? this.#fields : null;
  }

  begin(): void {
    this.#fields.write(this.#count === 0 ? '{"' : ',"');
    this.#count++;
    this.#name = "";
    this.#inValue = false;
  }

  text(part: "name" | "value", text: string): void {
    if (part === "value") this.#beginValue();
    else if (this.#name.length < PAYLOAD.length) this.#name += text;
    this.#fields.write(JSON.stringify(text).slice(1, -1));
    if (part === "value" && this.#isPayload && this.#count === 1) this.#payload.write(text);
  }

  end(): void {
    this.#beginValue();
    this.#fields.write('"');
  }

  #beginValue(): void {
    if (this.#inValue) return;
    this.#inValue = true;
    this.#fields.write('":"');
    if (this.#count === 1) this.#isPayload = this.#name === PAYLOAD;
  }
}

const PAYLOAD = "payload";
