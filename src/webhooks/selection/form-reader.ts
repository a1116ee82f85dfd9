/** The characters of a form's serializer (URL standard, "application/x-www-form-urlencoded"). No JSON object or list has only these. */
const FORM = /^[A-Za-z0-9*._+%&=~!'()-]*$/;
/** Far more than a form of these senders has. */
const FORM_FIELDS_MAX = 200;

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** Is told of the fields of a form, in the order of the form. */
export interface FormVisitor {
  /** A field begins; `text` follows for its name, then for its value. Empty names and values have no `text`. */
  begin(): void;
  text(part: "name" | "value", text: string): void;
  end(): void;
}

/** Reads a form that comes in chunks, and decodes names and values as `URLSearchParams` does. */
export class FormReader {
  readonly #visitor: FormVisitor;
  #decoder = newDecoder();
  #part: "name" | "value" = "name";
  /** Whether a field has begun. */
  #inField = false;
  #fields = 0;
  #hasEquals = false;
  #isForm = true;
  /** An escape whose rest is in the next chunk. */
  #carried = "";

  constructor(visitor: FormVisitor) {
    this.#visitor = visitor;
  }

  /** Whether the text can still be a form. */
  write(chunk: string): boolean {
    if (!this.#isForm || !FORM.test(chunk)) return (this.#isForm = false);
    const text = this.#carried + chunk;
    const unfinished = /%[0-9A-Fa-f]?$/.exec(text);
    this.#carried = unfinished?.[0] ?? "";
    return this.#read(text.slice(0, text.length - this.#carried.length));
  }

  /** Whether the text was a form. */
  finish(): boolean {
    if (this.#isForm) this.#read(this.#carried);
    if (this.#inField) this.#endField();
    return this.#isForm && this.#hasEquals;
  }

  #read(text: string): boolean {
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== AMPERSAND && (code !== EQUALS || this.#part === "value")) continue;
      this.#emit(text, from, i);
      from = i + 1;
      if (code === AMPERSAND) {
        if (this.#inField) this.#endField();
      } else {
        this.#hasEquals = true;
        this.#beginField();
        this.#flush();
        this.#part = "value";
      }
      if (this.#fields > FORM_FIELDS_MAX) return (this.#isForm = false);
    }
    this.#emit(text, from, text.length);
    return true;
  }

  #emit(text: string, from: number, to: number): void {
    if (from === to) return;
    this.#beginField();
    const decoded = this.#decoder.decode(unescaped(text, from, to), { stream: true });
    if (decoded !== "") this.#visitor.text(this.#part, decoded);
  }

  #beginField(): void {
    if (this.#inField) return;
    this.#inField = true;
    this.#fields++;
    this.#visitor.begin();
  }

  /** Ends a name or a value: bytes that are no whole character become U+FFFD. */
  #flush(): void {
    const rest = this.#decoder.decode();
    if (rest !== "") this.#visitor.text(this.#part, rest);
    this.#decoder = newDecoder();
  }

  #endField(): void {
    this.#flush();
    this.#visitor.end();
    this.#inField = false;
    this.#part = "name";
  }
}

/** A byte order mark is a character of its name or value (URL standard: "UTF-8 decode without BOM"). */
const newDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a part of a form. An escape that is none stands for itself. */
function unescaped(text: string, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  let length = 0;
  for (let i = from; i < to; i++) {
    let code = text.charCodeAt(i);
    if (code === PLUS) code = SPACE;
    else if (code === PERCENT && i + 2 < to) {
      const byte = 16 * hexDigit(text.charCodeAt(i + 1)) + hexDigit(text.charCodeAt(i + 2));
      if (byte >= 0) {
        code = byte;
        i += 2;
      }
    }
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

/** Far below zero for a character that is no hexadecimal digit. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1_000;
}
