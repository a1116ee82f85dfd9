import type { Millis } from "../../base/clock.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import type { HeldTask, MessageType, PayloadInput, Role } from "../../protocol/messages.ts";
import type { PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { SeenMessages } from "./replay-filter.ts";

/**
 * One authenticated session, whatever protocol carries it. A protocol is one `Dial` function; everything above it
 * (welcome, tasks, reconnecting) is the same for all.
 */
export interface Link {
  /** Sends one message and returns its ID; null when the session can't take it any more. */
  send<T extends MessageType>(type: T, payload: PayloadInput<T>, replyTo?: string): string | null;
  /** Ends the session from this side; no listener is called afterwards. Settles once the socket is closed. */
  close(code: number, reason: string): Promise<void>;
}

/** What a link tells the peer, in this order: `opened`, messages, `ended` once; after `ended` nothing. */
export interface LinkListener {
  /** The mesh proved the key `meshKey` (hex). */
  opened(meshKey: string): void;
  /** Anything arrived, readable or not: the other side lives. */
  heard(): void;
  message(envelope: Envelope): void;
  ignored(reason: string): void;
  ended(end: LinkEnd): void;
}

export type LinkEnd =
  /** Coming back would change nothing. */
  | { readonly kind: "refused"; readonly error: PeerError }
  | { readonly kind: "dropped"; readonly code: number; readonly reason: string }
  /** The mesh's clock is ahead of ours by so many milliseconds: dial again, corrected. */
  | { readonly kind: "skewed"; readonly clockOffset: Millis; readonly reason: string };

/** Who dials, and how it presents itself. */
export interface Hello {
  readonly keys: KeyPair;
  readonly name: string;
  readonly role: Role;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly prefetch: boolean;
  readonly createdAt: string;
}

export interface DialOptions {
  /** The mesh's base URL, `http(s):` or `ws(s):`. */
  readonly url: string;
  readonly hello: Hello;
  /** The mesh key that must be proved, in hex; null takes any. */
  readonly meshKey: string | null;
  /** Shown to a mesh that has proved its pinned key, over muster.2 alone; null when there is none. */
  readonly joinKey: string | null;
  /** What the peer still works on. */
  readonly held: readonly HeldTask[];
  /** What to add to our clock to have the mesh's, in milliseconds. */
  readonly clockOffset: Millis;
  /** Shared by all sessions of a peer. */
  readonly seen: SeenMessages;
  readonly platform: Platform;
}

export type Dial = (options: DialOptions, listener: LinkListener) => Link;
