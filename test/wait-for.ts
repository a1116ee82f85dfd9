import { vi } from "vitest";

/** Vitest's default of one second is too short on a busy machine. */
const TIMEOUT_MS = 30_000;

/** Waits until the assertion passes. It must keep passing from then on: a state that passes quickly may be missed. */
export const waitFor = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(assertion, { timeout: TIMEOUT_MS });
