import { fromHex, toHex } from "../../base/bytes.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import { makeRotationProof } from "../../crypto/key-proofs.ts";
import { GO_P2P_ERROR } from "../../protocol/go-p2p-errors.ts";
import type { Connection } from "../connection/connection.ts";
import { PeerError } from "../errors.ts";

interface PendingRotation {
  readonly keys: KeyPair;
  /** ID of the `rotate` message. */
  readonly messageId: string;
  readonly done: PromiseWithResolvers<KeyPair>;
}

/**
 * Changes the key of a peer. A rotation is pending from the `rotate` message until a welcome: the mesh moves the record,
 * then ends the session. If the socket closes before that is known, the next handshake shows the outcome: the mesh
 * refuses the old key as `rotated`, or welcomes it because nothing was changed.
 */
export class KeyRotation {
  #pending: PendingRotation | null = null;

  /**
   * Sends `rotate` and resolves with the new keys once the mesh has welcomed the peer under them. Rejects with a
   * `PeerError` (`rotation_failed`, `rotation_unknown`). `connection` is null when there is no active muster.2 session.
   */
  async rotate(
    connection: Connection | null,
    current: KeyPair,
    keys: KeyPair,
    meshKey: string,
  ): Promise<KeyPair> {
    if (connection === null || this.#pending !== null) {
      const message = "rotating needs an active muster.2 session and no other rotation in progress";
      throw new PeerError("rotation_failed", message);
    }
    const messageId = sendRotate(connection, current, keys, meshKey);
    if (messageId === null)
      throw new PeerError("rotation_failed", "the session ended before the request was sent");
    const done = Promise.withResolvers<KeyPair>();
    this.#pending = { keys, messageId, done };
    return done.promise;
  }

  /** The mesh sent an error. After a `timeout` error the outcome is unknown until the next welcome. */
  errorReceived(code: number, message: string, replyTo: string | undefined): void {
    if (code === GO_P2P_ERROR.timeout || replyTo !== this.#pending?.messageId) return;
    this.#fail(message);
  }

  /** The new keys if the mesh refused `current` because the pending rotation has replaced it; else null. */
  keysAfterRefusal(error: PeerError, current: KeyPair): KeyPair | null {
    if (error.code !== "rotated" || this.#pending === null) return null;
    return this.#pending.keys === current ? null : this.#pending.keys;
  }

  /** A welcome ends the pending rotation. True if the peer was welcomed under its new ID. */
  welcomed(peerId: string): boolean {
    const pending = this.#pending;
    if (pending === null) return false;
    if (pending.keys.id !== peerId) {
      this.#fail("the mesh did not accept the new key; try again");
      return false;
    }
    this.#pending = null;
    pending.done.resolve(pending.keys);
    return true;
  }

  /** The peer has ended. Whether the mesh has accepted the new key of a pending rotation stays unknown. */
  stop(reason: string): void {
    this.#fail(`${reason}; the mesh may have accepted the new key`, "rotation_unknown");
  }

  #fail(reason: string, code: "rotation_failed" | "rotation_unknown" = "rotation_failed"): void {
    this.#pending?.done.reject(new PeerError(code, reason));
    this.#pending = null;
  }
}

/** Returns the message's ID; null if the connection can't send it, or a key is not usable. */
function sendRotate(
  connection: Connection,
  current: KeyPair,
  keys: KeyPair,
  meshKey: string,
): string | null {
  const public_key = toHex(keys.publicKey);
  const publicKey = fromHex(meshKey) ?? new Uint8Array();
  const proof = makeRotationProof(
    { privateKey: keys.privateKey, publicKey },
    current.id,
    public_key,
  );
  return proof === null ? null : connection.send("rotate", { public_key, proof });
}
