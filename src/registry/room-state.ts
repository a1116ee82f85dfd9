import type { Millis } from "../base/clock.ts";

/** Whether ended tasks are being removed for room, in memory: after a wake it follows from the size of the database again. */
export class RoomState {
  readonly #onChange: () => void;
  #making: "no" | "yes" | "nothing left" = "no";
  /** Owners with the most bytes of ended tasks when they were listed last, and how often one of them may be chosen until the next time. */
  largest: { readonly owners: Map<string, number>; uses: number } = { owners: new Map(), uses: 0 };
  /** When there was nothing to remove: until then it is not looked again. */
  looksAgainAt: Millis = 0;

  /** @param onChange called when the due time of the next step may have changed */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** `nothing left`: the database is too large, but there is no ended task to remove. */
  get making(): "no" | "yes" | "nothing left" {
    return this.#making;
  }

  set making(making: "no" | "yes" | "nothing left") {
    if (making === this.#making) return;
    this.#making = making;
    this.#onChange();
  }
}
