import { MEASUREMENTS_FLUSH_DELAY } from "../src/protocol/constants.ts";
import type { Registry } from "../src/registry/registry.ts";

/**
 * Writes measurements in batches, shortly after they were made. The timer keeps the object in memory until then: measurements
 * are lost only by a crash, never by hibernation, which begins after ten seconds without work.
 */
export class MeasurementWriter {
  readonly #measurements: Registry["measurements"];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(measurements: Registry["measurements"]) {
    this.#measurements = measurements;
  }

  /** Schedules a write if measurements are pending. */
  scheduleWrite(): void {
    if (this.#timer !== null || !this.#measurements.arePending()) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#measurements.flush();
    }, MEASUREMENTS_FLUSH_DELAY);
  }
}
