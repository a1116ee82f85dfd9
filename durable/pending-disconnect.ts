/** Storage key of the peer whose end the coordinator has yet to be told of. */
const OWED = "owed_farewell";

/** `epoch` is null while the coordinator is asked: then the object's name must do to say which session ended. */
export interface Owed {
  readonly peerId: string;
  readonly epoch: number | null;
}

/**
 * What a session's object owes the coordinator once no session lives. Written before the coordinator is asked to let the
 * peer in: whatever happens to the object then, its alarm finds it. It goes with all else that the object stores.
 */
export class Farewell {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  get owed(): Owed | null {
    return this.#kv.get<Owed>(OWED) ?? null;
  }

  owe(peerId: string, epoch: number | null): void {
    this.#kv.put<Owed>(OWED, { peerId, epoch });
  }
}
