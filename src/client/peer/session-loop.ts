import { SECOND, type Millis } from "../../base/clock.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import type { HeldTask, Reconnect } from "../../protocol/messages.ts";
import type { Connection, ConnectionEnd, PeerProfile } from "../connection/connection.ts";
import { dialGoP2p } from "../connection/go-p2p-connection.ts";
import { dialMuster2 } from "../connection/muster2-connection.ts";
import { ReplayFilter } from "../connection/replay-filter.ts";
import type { PeerError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import {
  DIAL_ATTEMPT_TIMEOUT,
  DISCONNECT_GRACE,
  MESH_SILENCE_MAX,
  REJECTION_PAUSE_MAX,
} from "../timings.ts";
import type { Destination } from "./destination.ts";
import { KeyInUse } from "./key-in-use.ts";
import type { PeerEvent } from "./peer-events.ts";
import { ReconnectBackoff } from "./reconnect-backoff.ts";
import { SilenceWatchdog } from "./silence-watchdog.ts";

type LostConnection = Omit<Extract<PeerEvent, { type: "disconnected" }>, "type">;

/** What the loop reports to its owner. */
export interface SessionLoopListener {
  /** A dial begins, after `failures` failures in a row. */
  connecting(failures: number): void;
  message(envelope: Envelope): void;
  frameIgnored(reason: string): void;
  /** The connection ended. Called before the loop dials again, waits, or closes. */
  detached(): void;
  /** The mesh refused the peer. True if the owner has changed the profile, so that dialing again makes sense. */
  recover(error: PeerError): boolean;
  /** The loop dials again after `retryInMs`. */
  disconnected(end: LostConnection): void;
  /** Another process uses this peer's key. The loop dials again after `retryInMs`. */
  keyInUse(reason: string, retryInMs: Millis): void;
  /** The loop has ended: with the mesh's refusal, or null after `close()`. */
  closed(error: PeerError | null): void;
}

export interface SessionLoopOptions {
  readonly destination: Destination;
  readonly platform: Platform;
  /** Read at each dial. */
  readonly profile: () => PeerProfile;
  /** Read at each dial. */
  readonly heldTasks: () => readonly HeldTask[];
  /** The loop waits for this before its first dial, and ends with the error if there is one; null dials at once. */
  readonly loading: Promise<PeerError | null> | null;
  readonly listener: SessionLoopListener;
}

type State =
  | { readonly at: "loading" }
  | { readonly at: "connecting"; readonly connection: Connection }
  /** The mesh has proved its key; its welcome is awaited. */
  | { readonly at: "joining"; readonly connection: Connection }
  | { readonly at: "active"; readonly connection: Connection; readonly since: Millis }
  | { readonly at: "waiting"; readonly timer: ReturnType<typeof setTimeout> }
  | { readonly at: "closed" };

/**
 * Keeps a peer connected: loading, then connecting -> joining -> active, then waiting and connecting again, until it is
 * closed from either side. Corrects the clock offset and the pinned mesh key where the mesh announced a change.
 */
export class SessionLoop {
  readonly #options: SessionLoopOptions;
  readonly #replayFilter = new ReplayFilter();
  readonly #backoff = new ReconnectBackoff();
  readonly #keyInUse = new KeyInUse();
  #meshKey: string | null;
  #nextMeshKey: string | null;
  /** How far the mesh's clock differs, for the next dial; null if that is unknown. */
  #correction: Millis | null = null;
  /** Whether the present connection was dialed with a correction. */
  #isDialCorrected = false;
  #watchdog: SilenceWatchdog | null = null;
  /** The pause that the mesh has asked for in its rejection. */
  #askedPause: Millis = 0;
  /** Runs from the handshake until the mesh's welcome or rejection. */
  #welcomeDeadline: ReturnType<typeof setTimeout> | undefined;
  /** Runs from the mesh's announcement that it will disconnect. */
  #disconnectGrace: ReturnType<typeof setTimeout> | undefined;
  #state: State = { at: "loading" };

  constructor(options: SessionLoopOptions) {
    this.#options = options;
    this.#meshKey = options.destination.meshKey;
    this.#nextMeshKey = options.destination.nextMeshKey;
    if (options.loading === null) this.#redial();
    else void options.loading.then((error) => this.#loaded(error));
  }

  get state(): State["at"] {
    return this.#state.at;
  }

  /** The key that the mesh must prove, in hex; null before the first handshake of a peer that pins none. */
  get meshKey(): string | null {
    return this.#meshKey;
  }

  /** The present connection, welcomed or not; null if there is none. */
  get connection(): Connection | null {
    return "connection" in this.#state ? this.#state.connection : null;
  }

  /** The connection of the active session; null outside of one. */
  get activeConnection(): Connection | null {
    return this.#state.at === "active" ? this.#state.connection : null;
  }

  /** The mesh said welcome. Returns the connection of the session; null if no welcome was expected. */
  welcomed(position: Reconnect | null, nextMeshKey: string | null): Connection | null {
    if (this.#state.at !== "joining") return null;
    const { connection } = this.#state;
    clearTimeout(this.#welcomeDeadline);
    this.#state = { at: "active", connection, since: this.#options.platform.now() };
    this.#nextMeshKey = nextMeshKey;
    this.#backoff.setPosition(position);
    return connection;
  }

  /**
   * The mesh announced that it will disconnect. Its close code, which follows, says whether to reconnect; if it does not
   * follow within `DISCONNECT_GRACE`, the connection is dropped from this side.
   */
  disconnecting(position: Reconnect | null, reason: string): void {
    this.#backoff.updatePosition(position);
    if (this.connection === null) return;
    clearTimeout(this.#disconnectGrace);
    this.#disconnectGrace = setTimeout(() => this.#drop(CLOSE.normal, reason), DISCONNECT_GRACE);
  }

  /** The mesh rejects the peer and names the seconds after which to try again. */
  rejected(retryAfterSeconds: number): void {
    this.#askedPause = Math.min(retryAfterSeconds * SECOND, REJECTION_PAUSE_MAX);
  }

  /** Ends the loop. Resolves once the socket is closed. */
  async close(reason: string): Promise<void> {
    const state = this.#state;
    if (state.at === "closed") return;
    this.#finish(null);
    if (state.at === "waiting") clearTimeout(state.timer);
    if (!("connection" in state)) return;
    state.connection.send("disconnect", { reason, code: CLOSE.normal });
    await state.connection.close(CLOSE.normal, "");
  }

  #loaded(error: PeerError | null): void {
    if (this.#state.at !== "loading") return;
    if (error === null) this.#redial();
    else this.#finish(error);
  }

  #dial(): Connection {
    const { destination, platform, profile, heldTasks, listener } = this.#options;
    const dial = destination.protocol === "muster/2" ? dialMuster2 : dialGoP2p;
    return dial(
      {
        url: destination.url,
        profile: profile(),
        meshKey: this.#meshKey,
        joinKey: destination.joinKey,
        heldTasks: heldTasks(),
        clockOffset: this.#takeCorrection(),
        replayFilter: this.#replayFilter,
        platform,
      },
      {
        authenticated: (meshKey) => this.#authenticated(meshKey),
        activity: () => this.#watchdog?.activity(),
        message: (envelope) => listener.message(envelope),
        frameIgnored: (reason) => listener.frameIgnored(reason),
        ended: (end) => this.#ended(end),
      },
    );
  }

  /** The clock offset of the next dial. A correction is for one dial only; the dial after it is by this machine's own clock. */
  #takeCorrection(): Millis {
    const correction = this.#correction;
    this.#correction = null;
    this.#isDialCorrected = correction !== null;
    return correction ?? 0;
  }

  /** The mesh has proved its key, which is pinned from now on. */
  #authenticated(meshKey: string): void {
    if (this.#state.at !== "connecting") return;
    this.#meshKey = meshKey;
    this.#state = { at: "joining", connection: this.#state.connection };
    this.#watchdog = new SilenceWatchdog(MESH_SILENCE_MAX, this.#options.platform.now, () =>
      this.#drop(CLOSE.timeout, "no frame from the mesh within the timeout"),
    );
    // The platform answers heartbeats also while the mesh behind it does not work.
    this.#welcomeDeadline = setTimeout(
      () => this.#drop(CLOSE.timeout, "no welcome from the mesh within the timeout"),
      DIAL_ATTEMPT_TIMEOUT,
    );
  }

  /** Closes the connection from this side, to reconnect later. */
  #drop(code: number, reason: string): void {
    void this.connection?.close(code, "");
    this.#ended({ kind: "dropped", code, reason });
  }

  #ended(end: ConnectionEnd): void {
    if (this.#state.at === "closed") return;
    const { listener, platform } = this.#options;
    this.#stopTimers();
    listener.detached();
    if (this.#corrects(end)) return this.#redial();
    const now = platform.now();
    const sessionLength = this.#state.at === "active" ? now - this.#state.since : null;
    const asked = this.#askedPause;
    this.#askedPause = 0;
    const pause = this.#keyInUse.pauseAfter(end, sessionLength, platform.random(), asked);
    if (pause !== null) {
      this.#redialAfter(pause);
      return listener.keyInUse(end.kind === "refused" ? end.error.message : end.reason, pause);
    }
    if (end.kind === "refused") return this.#finish(end.error);
    if (end.kind === "dismissed") return this.#finish(null);
    // Peers that were rejected together come back at different times: the pause is added.
    const retryInMs =
      asked +
      this.#backoff.nextDelay(
        sessionLength,
        now,
        platform.random(),
        sessionLength === null || !isRestart(end),
      );
    this.#redialAfter(retryInMs);
    const code = end.kind === "dropped" ? end.code : CLOSE.handshake;
    const failure = end.kind === "dropped" && end.failure !== undefined && { failure: end.failure };
    listener.disconnected({ code, reason: end.reason, retryInMs, ...failure });
  }

  /** Corrects what caused the end, if possible. True if the peer should dial again without delay. */
  #corrects(end: ConnectionEnd): boolean {
    switch (end.kind) {
      case "dropped":
      case "dismissed":
        return false;
      case "skewed":
        // A corrected dial that is refused again waits: the server must not make the peer dial without a pause.
        if (this.#isDialCorrected) return false;
        this.#correction = end.clockOffset;
        return true;
      case "refused":
        if (end.error.code === "mesh_key_mismatch" && this.#nextMeshKey !== null) {
          // The mesh has completed its rotation to the key that it had announced.
          this.#meshKey = this.#nextMeshKey;
          this.#nextMeshKey = null;
          return true;
        }
        return this.#options.listener.recover(end.error);
      default:
        return end satisfies never;
    }
  }

  #redialAfter(pause: Millis): void {
    this.#state = { at: "waiting", timer: setTimeout(() => this.#redial(), pause) };
  }

  #redial(): void {
    this.#state = { at: "connecting", connection: this.#dial() };
    this.#options.listener.connecting(this.#backoff.failures);
  }

  #finish(error: PeerError | null): void {
    this.#state = { at: "closed" };
    this.#stopTimers();
    this.#options.listener.closed(error);
  }

  /** Stops what concerns the connection that has ended. */
  #stopTimers(): void {
    this.#watchdog?.stop();
    clearTimeout(this.#welcomeDeadline);
    clearTimeout(this.#disconnectGrace);
  }
}

/**
 * Whether the mesh ended the session because it restarts: the peer comes back at its position. A mesh that lets no session begin, as
 * while it takes a backup, ends the connection alike; that is a failure, so that the pauses between dials grow.
 */
const isRestart = (end: ConnectionEnd): boolean =>
  end.kind === "dropped" && end.code === CLOSE.draining;
