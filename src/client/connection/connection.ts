import type { Millis } from "../../base/clock.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import type { HeldTask, MessageType, PayloadInput, Role } from "../../protocol/messages.ts";
import type { PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import type { ReplayFilter } from "./replay-filter.ts";

/**
 * One authenticated connection to the mesh. Each protocol is one `Dial` function; the code above it (welcome, tasks,
 * reconnecting) is the same for all protocols.
 */
export interface Connection {
  /**
   * Sends one message, now or as soon as the mesh may receive it, and returns its ID; null if the connection can't send any
   * more. `onSent` is called when the message has been given to the socket, possibly before this method returns; never if
   * the connection ends first.
   */
  send<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    replyTo?: string,
    onSent?: () => void,
  ): string | null;
  /** Closes the connection; the listener is not called afterwards. Resolves once the socket is closed. */
  close(code: number, reason: string): Promise<void>;
}

/** Receives a connection's events: `authenticated` first, then messages, then `ended` once and nothing more. */
export interface ConnectionListener {
  /** The mesh has proved that it holds the key `meshKey` (hex). */
  authenticated(meshKey: string): void;
  /** A frame arrived, readable or not: the mesh is reachable. */
  activity(): void;
  message(envelope: Envelope): void;
  /** A frame was dropped. */
  frameIgnored(reason: string): void;
  ended(end: ConnectionEnd): void;
}

export type ConnectionEnd =
  /** The mesh refused the peer; dialing again would have the same result. */
  | { readonly kind: "refused"; readonly error: PeerError }
  /** The mesh has ended the session in good order, and the peer stays away. */
  | { readonly kind: "dismissed"; readonly reason: string }
  /** The connection failed or was closed; dial again after a delay. */
  | {
      readonly kind: "dropped";
      readonly code: number;
      readonly reason: string;
      /** Why no session began, if that is known. */
      readonly failure?: ConnectFailure;
    }
  /** The mesh's clock differs from this machine's by `clockOffset`: dial again at once, corrected by it. */
  | { readonly kind: "skewed"; readonly clockOffset: Millis; readonly reason: string };

/** The peer's key, and what it tells the mesh about itself. */
export interface PeerProfile {
  readonly keys: KeyPair;
  readonly name: string;
  readonly role: Role;
  readonly capabilities: readonly string[];
  /** The kinds of task that it handles; `*` stands for every kind. */
  readonly kinds: readonly string[];
  /** How many tasks the peer runs at once. */
  readonly slots: number;
  /** Whether the peer accepts one task more than it has slots. */
  readonly prefetch: boolean;
  /** The largest muster.2 frame that the peer takes and sends, in bytes; `FRAME_BYTES_MAX` when absent. */
  readonly maxFrame?: number;
  /** RFC 3339. */
  readonly createdAt: string;
}

export interface ConnectOptions {
  /** The mesh's base URL, `http(s):` or `ws(s):`. */
  readonly url: string;
  readonly profile: PeerProfile;
  /** The key that the mesh must prove, in hex; null accepts any key. */
  readonly meshKey: string | null;
  /** Sent by muster.2 only, after the mesh has proved its pinned key; null if the peer has none. */
  readonly joinKey: string | null;
  /** The attempts that the peer still runs. */
  readonly heldTasks: readonly HeldTask[];
  /** The mesh's clock minus this machine's, in milliseconds. */
  readonly clockOffset: Millis;
  /** Shared by all connections of a peer. */
  readonly replayFilter: ReplayFilter;
  readonly platform: Platform;
}

/** Dials a mesh. Returns at once; the listener is called when the handshake has succeeded or failed. */
export type Dial = (options: ConnectOptions, listener: ConnectionListener) => Connection;
