/** Whatever must be ended after a run, also when it fails; the newest first. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  /** Keeps how to end a thing, and returns the thing. */
  keep<Thing>(thing: Thing, close: (thing: Thing) => Promise<void> | void): Thing {
    this.#closers.push(async () => close(thing));
    return thing;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }
}
