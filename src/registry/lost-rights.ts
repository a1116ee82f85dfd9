/**
 * Whether a row was written that may take a right from a key or a token: a deny entry, an allowlist entry that is gone, a revoked
 * token, another auth mode. The tables note it by themselves, so that no handler has to remember who must be judged again.
 */
export class LostRights {
  #mayBeLost = false;
  /** The configuration that the last check found unchanged; null after a wake. */
  checkedConfig: string | null = null;

  note(): void {
    this.#mayBeLost = true;
  }

  /** Whether `note` was called since the last call. */
  take(): boolean {
    const mayBeLost = this.#mayBeLost;
    this.#mayBeLost = false;
    return mayBeLost;
  }
}
