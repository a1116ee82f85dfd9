/** A result that is JSON already: a handler in a thread returns its text, which is sent as it is. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
