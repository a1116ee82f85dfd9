import { vi } from "vitest";

/** On a busy machine a second, Vitest's default, is not enough. */
const TIMEOUT_MS = 30_000;

/** Waits until the assertion holds. It must then stay true: what holds for a moment only may be missed. */
export const waitFor = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(assertion, { timeout: TIMEOUT_MS });
