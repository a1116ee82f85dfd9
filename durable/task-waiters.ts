/** Long polls that wait for the end of a task. In memory only: the callers poll again when the object restarts. */
export class TaskWaiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when `wake` is called with the key, or after `ms` milliseconds. */
  async wait(key: string, ms: number): Promise<void> {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        waiting.delete(finish);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      waiting.add(finish);
    });
  }

  /** Ends the long polls for the key. */
  wake(key: string): void {
    for (const finish of this.#waiting.get(key) ?? []) finish();
  }
}
