import { toHex } from "../../base/bytes.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import { makeRotationProof } from "../../crypto/key-proofs.ts";
import { PeerError } from "../errors.ts";
import type { Link } from "../connection/connection.ts";

/**
 * A peer's change to a new key, from its `rotate` to the welcome under the new one. The mesh ends the session when it
 * has moved the record; if the socket drops before that word comes, the old key's fate tells what happened.
 */
export class KeyChange {
  readonly keys: KeyPair;
  readonly #done = Promise.withResolvers<KeyPair>();
  readonly #messageId: string;

  private constructor(keys: KeyPair, messageId: string) {
    this.keys = keys;
    this.#messageId = messageId;
  }

  /** Asks for the change; null when the session can't take the message any more. */
  static ask(link: Link, old: KeyPair, keys: KeyPair, meshKey: Uint8Array): KeyChange | null {
    const publicKey = toHex(keys.publicKey);
    const proof = makeRotationProof(
      { privateKey: keys.privateKey, publicKey: meshKey },
      old.id,
      publicKey,
    );
    const messageId = proof === null ? null : link.send("rotate", { public_key: publicKey, proof });
    return messageId === null ? null : new KeyChange(keys, messageId);
  }

  /** Resolves with the new keys once the mesh has said welcome under them. */
  get done(): Promise<KeyPair> {
    return this.#done.promise;
  }

  /** Whether this error message of the mesh refuses the change. */
  isAbout(replyTo: string | undefined): boolean {
    return replyTo === this.#messageId;
  }

  succeed(): void {
    this.#done.resolve(this.keys);
  }

  fail(reason: string): void {
    this.#done.reject(new PeerError("rotation_failed", reason));
  }
}
