/** Storage key of the peer whose end the coordinator has yet to be told of. */
const STORAGE_KEY = "owed_farewell";

/** `epoch` is null while the coordinator is asked: then the object's name must do to say which session ended. */
export interface PendingPeer {
  readonly peerId: string;
  readonly epoch: number | null;
}

/**
 * What a session's object owes the coordinator once no session lives. Written before the coordinator is asked to let the
 * peer in: whatever happens to the object then, its alarm finds it. It goes with all else that the object stores.
 */
export class PendingDisconnect {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  get pending(): PendingPeer | null {
    return this.#kv.get<PendingPeer>(STORAGE_KEY) ?? null;
  }

  set(peerId: string, epoch: number | null): void {
    this.#kv.put<PendingPeer>(STORAGE_KEY, { peerId, epoch });
  }
}
