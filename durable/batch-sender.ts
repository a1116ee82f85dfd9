/** How one batch is made up. */
export interface BatchRules<Item> {
  /** Items in one batch, each counted by its weight. */
  readonly max: number;
  /** For how many items this one counts; absent: for one. */
  readonly weightOf?: (item: Item) => number;
  /** Whether an item goes before those that are not urgent. Items of equal urgency keep their order. */
  readonly isUrgent?: (item: Item) => boolean;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly answered: PromiseWithResolvers<Answer>;
}

/**
 * Sends items to one receiver in batches, one batch at a time: what is added while a batch is under way goes with the next
 * one.
 */
export class BatchSender<Item, Answer> {
  readonly #rules: BatchRules<Item>;
  readonly #call: (items: readonly Item[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Item, Answer>[] = [];
  #isSending = false;

  /** @param call sends one batch and resolves to one answer for each item */
  constructor(
    rules: BatchRules<Item>,
    call: (items: readonly Item[]) => Promise<readonly Answer[]>,
  ) {
    this.#rules = rules;
    this.#call = call;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return !this.#isSending;
  }

  /** Resolves to the item's answer, or rejects when the call that carried it failed. The answers of a batch resolve in order. */
  send(item: Item): Promise<Answer> {
    const answered = Promise.withResolvers<Answer>();
    this.#waiting.push({ item, answered });
    if (!this.#isSending) void this.#sendAll();
    return answered.promise;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // What is added in the same turn goes with the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        const answers = await this.#call(batch.map(({ item }) => item));
        if (answers.length !== batch.length)
          throw new Error(`${batch.length} items have ${answers.length} answers`);
        batch.forEach(({ answered }, index) => answered.resolve(answers[index] as Answer));
      } catch (thrown) {
        for (const { answered } of batch) answered.reject(thrown);
      }
    }
    this.#isSending = false;
  }

  #nextBatch(): readonly Waiting<Item, Answer>[] {
    const { isUrgent } = this.#rules;
    const ordered =
      isUrgent === undefined
        ? this.#waiting
        : [
            ...this.#waiting.filter(({ item }) => isUrgent(item)),
            ...this.#waiting.filter(({ item }) => !isUrgent(item)),
          ];
    const count = this.#countThatFit(ordered);
    this.#waiting = ordered.slice(count);
    return ordered.slice(0, count);
  }

  /** How many of the first items go in one batch; one does, whatever its weight. */
  #countThatFit(ordered: readonly Waiting<Item, Answer>[]): number {
    const { max, weightOf } = this.#rules;
    if (weightOf === undefined) return max;
    let weight = 0;
    const over = ordered.findIndex(({ item }) => (weight += weightOf(item)) > max);
    return over < 0 ? ordered.length : Math.max(1, over);
  }
}
