import { MEASUREMENTS_FLUSH_DELAY } from "../src/protocol/constants.ts";
import type { Registry } from "../src/registry/registry.ts";

/**
 * Writes measurements a little after they were made, many at once. The timer keeps the object in memory until then: what
 * is measured is lost by a crash alone, never by hibernation, which comes after ten seconds without work.
 */
export class MeasurementWriter {
  readonly #measurements: Registry["measurements"];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(measurements: Registry["measurements"]) {
    this.#measurements = measurements;
  }

  writeSoon(): void {
    if (this.#timer !== null || !this.#measurements.arePending()) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#measurements.flush();
    }, MEASUREMENTS_FLUSH_DELAY);
  }
}
