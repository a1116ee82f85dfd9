/** Long polls that wait for a task's end. In memory alone: whoever waits asks again when the object restarts. */
export class TaskWaiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when `wake` names the key, or after `ms` milliseconds. */
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

  wake(key: string): void {
    for (const finish of this.#waiting.get(key) ?? []) finish();
  }
}
