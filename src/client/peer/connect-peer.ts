import { fromHex, toHex } from "../../base/bytes.ts";
import { SECOND, toRfc3339, type Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import { CLOSE, GO_P2P_ERROR } from "../../protocol/errors.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { SessionTasks } from "./session-tasks.ts";
import { advertOf, type KnownPeer } from "./advert.ts";
import { ReconnectBackoff } from "./reconnect-backoff.ts";
import { PeerError } from "../errors.ts";
import type { JoinedMesh, PeerEvent } from "./peer-events.ts";
import { destinationOf, type Destination } from "./destination.ts";
import { dialGoP2p } from "../connection/go-p2p-connection.ts";
import { identityOf } from "../connection/go-p2p-handshake.ts";
import { dispatch, type Receivers } from "./inbound-messages.ts";
import { KeyChange } from "./key-rotation.ts";
import { generateIdentity, identityFrom, type PrivateKey } from "../keys.ts";
import type { Hello, Link, LinkEnd } from "../connection/connection.ts";
import { dialMuster2 } from "../connection/muster2-connection.ts";
import type { Peer, PeerState } from "./peer-handle.ts";
import type { Announcement, PeerOptions } from "./peer-options.ts";
import { hostPlatform, type Platform } from "../platform.ts";
import { requestReceivers, Requests } from "../work/go-p2p-requests.ts";
import { SeenMessages } from "../connection/replay-filter.ts";
import { rttReport, type MeasuredRtt } from "./rtt-report.ts";
import { GOODBYE_GRACE, MESH_SILENCE_MAX } from "../timings.ts";
import { uploadResult } from "../work/upload-result.ts";
import { Watchdog } from "./silence-watchdog.ts";
import { Work } from "../work/task-runner.ts";

export type { Peer, PeerState } from "./peer-handle.ts";
export type { Announcement, PeerOptions } from "./peer-options.ts";
export type { MeasuredRtt } from "./rtt-report.ts";

/** Joins a mesh and serves its tasks; throws an `OptionsError` when the options can't be right. */
export function connectPeer(options: PeerOptions): Peer {
  const platform = { ...hostPlatform, ...options.platform };
  const keys =
    options.privateKey === undefined ? generateIdentity() : identityFrom(options.privateKey);
  const hello: Hello = {
    keys,
    name: options.name ?? "",
    role: options.role ?? "worker",
    capabilities: options.capabilities ?? [],
    slots: options.slots ?? 1,
    prefetch: options.prefetch ?? true,
    createdAt: options.createdAt ?? toRfc3339(platform.now()),
  };
  identityOf(hello);
  return new PeerLoop(options, hello, destinationOf(options), platform);
}

type State =
  | { readonly at: "connecting"; readonly link: Link }
  | { readonly at: "joining"; readonly link: Link }
  | { readonly at: "active"; readonly link: Link; readonly since: Millis }
  | { readonly at: "waiting"; readonly timer: ReturnType<typeof setTimeout> }
  | { readonly at: "closed" };

class PeerLoop implements Peer {
  readonly #options: PeerOptions;
  #hello: Hello;
  readonly #platform: Platform;
  readonly #seen = new SeenMessages();
  readonly #ready = Promise.withResolvers<JoinedMesh>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #work: Work;
  readonly #requests: Requests;
  readonly tasks: SessionTasks;
  readonly #born: Millis;
  readonly #receivers: Receivers;
  readonly #to: Destination;
  #meshKey: string | null;
  #nextMeshKey: string | null;
  #discoveryKeys: DiscoveryKeys | null = null;
  #clockOffset: Millis = 0;
  /** The clock was corrected since the last session: if that was not enough, more of it will not help. */
  #clockCorrected = false;
  #keyChange: KeyChange | null = null;
  readonly #comeback = new ReconnectBackoff();
  #watchdog: Watchdog | null = null;
  #state: State;

  constructor(options: PeerOptions, hello: Hello, to: Destination, platform: Platform) {
    this.#options = options;
    this.#hello = hello;
    this.#platform = platform;
    this.#to = to;
    this.#meshKey = to.meshKey;
    this.#nextMeshKey = to.nextMeshKey;
    this.#work = new Work({
      handlers: options.handlers ?? {},
      slots: hello.slots,
      prefetch: hello.prefetch,
      now: platform.now,
      upload: (upload) => uploadResult(to.url, platform.fetch, upload),
      emit: (event) => this.#emit(event),
    });
    this.#requests = new Requests({
      handlers: options.handlers ?? {},
      stats: () => this.#stats(),
    });
    this.tasks = new SessionTasks(to.url, platform.fetch);
    this.#born = platform.now();
    this.#receivers = this.#newReceivers();
    // Whoever does not ask how it went must not be ended by it.
    this.#ready.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
    this.#state = { at: "connecting", link: this.#dial() };
    this.#announceDial();
  }

  get id(): string {
    return this.#keys.id;
  }

  get publicKey(): string {
    return toHex(this.#keys.publicKey);
  }

  get state(): PeerState {
    return this.#state.at;
  }

  get discoveryKeys(): DiscoveryKeys | null {
    return this.#discoveryKeys;
  }

  get ready(): Promise<JoinedMesh> {
    return this.#ready.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async close(reason = "the peer leaves"): Promise<void> {
    const state = this.#state;
    if (state.at === "closed") return;
    this.#finish(null);
    if (state.at === "waiting") clearTimeout(state.timer);
    else {
      state.link.send("disconnect", { reason, code: CLOSE.normal });
      await state.link.close(CLOSE.normal, "");
    }
  }

  async rotate(newKey?: PrivateKey): Promise<KeyPair> {
    const keys = newKey === undefined ? generateIdentity() : identityFrom(newKey);
    if (
      this.#state.at !== "active" ||
      this.#keyChange !== null ||
      this.#to.protocol !== "muster/2"
    ) {
      throw new PeerError(
        "rotation_failed",
        "a key is changed one at a time, in an active muster.2 session",
      );
    }
    const meshKey = fromHex(this.#meshKey ?? "") ?? new Uint8Array();
    this.#keyChange = KeyChange.ask(this.#state.link, this.#keys, keys, meshKey);
    if (this.#keyChange === null)
      throw new PeerError("rotation_failed", "the session has just ended");
    return this.#keyChange.done;
  }

  advertise(peers: readonly KnownPeer[]): boolean {
    const advert = advertOf(peers);
    return this.#state.at === "active" && this.#state.link.send("advert", advert) !== null;
  }

  reportRtts(rtts: readonly MeasuredRtt[]): boolean {
    const report = rttReport(rtts);
    if (this.#state.at !== "active" || this.#to.protocol !== "muster/2") return false;
    return this.#state.link.send("rtts", report) !== null;
  }

  announce({ capabilities, slots, prefetch }: Announcement): void {
    const changes = {
      ...(capabilities !== undefined && { capabilities: [...capabilities] }),
      ...(slots !== undefined && { slots }),
      ...(prefetch !== undefined && { prefetch }),
    };
    const hello = { ...this.#hello, ...changes };
    identityOf(hello);
    this.#hello = hello;
    this.#work.resize(hello);
    if (this.#state.at === "active") this.#state.link.send("announce", changes);
  }

  get #keys(): KeyPair {
    return this.#hello.keys;
  }

  #dial(): Link {
    const dial = this.#to.protocol === "muster/2" ? dialMuster2 : dialGoP2p;
    return dial(
      {
        url: this.#to.url,
        hello: this.#hello,
        meshKey: this.#meshKey,
        joinKey: this.#to.joinKey,
        held: this.#work.held(),
        clockOffset: this.#clockOffset,
        seen: this.#seen,
        platform: this.#platform,
      },
      {
        opened: (meshKey) => this.#join(meshKey),
        heard: () => this.#watchdog?.heard(),
        message: (envelope) => dispatch(envelope, this.#receivers),
        ignored: (reason) => this.#emit({ type: "frame_ignored", reason }),
        ended: (end) => this.#ended(end),
      },
    );
  }

  /** The mesh has proved its key. From now on no other one will do. */
  #join(meshKey: string): void {
    if (this.#state.at !== "connecting") return;
    this.#meshKey = meshKey;
    this.#state = { at: "joining", link: this.#state.link };
    this.#watchdog = new Watchdog(MESH_SILENCE_MAX, this.#platform.now, () =>
      this.#hangUp(CLOSE.timeout, "the mesh has fallen silent"),
    );
  }

  #newReceivers(): Receivers {
    return {
      ping: ({ sentAt }, { id }) => this.#pong(sentAt, id),
      welcome: (welcome) => this.#welcome(welcome),
      task_offer: (offer) => this.#work.offer(offer),
      task_cancel: (cancel) => this.#work.cancel(cancel),
      rejection: ({ code, reason }) => this.#emit({ type: "rejected", code, reason }),
      sample: ({ pointers }) => this.#emit({ type: "sample", pointers }),
      ...requestReceivers((type, payload, id) => {
        if (this.#link !== null) void this.#requests.answer(type, payload, id, this.#link);
      }),
      task_shown: (shown, { replyTo }) => this.tasks.shown(shown, replyTo),
      error: (error, { replyTo }) => {
        if (!this.tasks.refused(error, replyTo))
          this.#takeError(error.code, error.message, replyTo);
      },
      disconnect: ({ reason, reconnect }) => {
        this.#comeback.dismissed(reconnect ?? null);
        this.#awaitClose(reason);
      },
      ignored: (reason) => this.#emit({ type: "frame_ignored", reason }),
    };
  }

  /** As a go-p2p worker without miners has them. */
  #stats(): Json {
    const uptime = Math.floor((this.#platform.now() - this.#born) / SECOND);
    return { nodeId: this.id, nodeName: this.#hello.name, miners: [], uptime };
  }

  #takeError(code: number, message: string, replyTo: string | undefined): void {
    // A mesh that could not be reached in time may have taken the key all the same: the next welcome will tell.
    if (code !== GO_P2P_ERROR.timeout && this.#keyChange?.isAbout(replyTo) === true) {
      this.#keyChange.fail(message);
      this.#keyChange = null;
    }
    this.#emit({ type: "mesh_error", code, message, replyTo });
  }

  #pong(sentAt: number, ping: string): void {
    this.#link?.send("pong", { sentAt, receivedAt: this.#platform.now() }, ping);
  }

  #welcome({
    peer_id: peerId,
    epoch,
    role,
    mesh,
    reconnect,
    discovery,
  }: PayloadOf<"welcome">): void {
    if (this.#state.at !== "joining") return;
    this.#discoveryKeys = discovery ?? null;
    const { link } = this.#state;
    this.#state = { at: "active", link, since: this.#platform.now() };
    this.#nextMeshKey = mesh.next_public_key ?? null;
    this.#clockCorrected = false;
    this.#comeback.welcomed(reconnect ?? null);
    this.#work.attach(link);
    this.tasks.attach(link);
    this.#ready.resolve(mesh);
    this.#emit({ type: "ready", peerId, epoch, role, mesh });
    this.#settleKeyChange(peerId);
  }

  /** A welcome decides: under the new ID the change was made, under the old one it was not. */
  #settleKeyChange(peerId: string): void {
    const change = this.#keyChange;
    if (change === null) return;
    this.#keyChange = null;
    if (change.keys.id !== peerId)
      return change.fail("the mesh did not take the new key; try again");
    change.succeed();
    this.#emit({ type: "rotated", peerId });
  }

  get #link(): Link | null {
    return "link" in this.#state ? this.#state.link : null;
  }

  /** The mesh says goodbye. Whether to come back is said by the close code, which follows. */
  #awaitClose(reason: string): void {
    const link = this.#link;
    setTimeout(() => {
      if (link !== null && link === this.#link) this.#hangUp(CLOSE.normal, reason);
    }, GOODBYE_GRACE);
  }

  /** Drops the session from this side, to come back later. */
  #hangUp(code: number, reason: string): void {
    void this.#link?.close(code, "");
    this.#ended({ kind: "dropped", code, reason });
  }

  #ended(end: LinkEnd): void {
    if (this.#state.at === "closed") return;
    this.#watchdog?.stop();
    this.#work.detach();
    this.tasks.detach();
    if (this.#corrected(end)) return this.#again();
    if (end.kind === "refused") return this.#finish(end.error);
    const { now, random } = this.#platform;
    const lived = this.#state.at === "active" ? now() - this.#state.since : null;
    const retryInMs = this.#comeback.pause(lived, now(), random());
    const timer = setTimeout(() => this.#again(), retryInMs);
    this.#state = { at: "waiting", timer };
    const code = end.kind === "dropped" ? end.code : CLOSE.handshake;
    this.#emit({ type: "disconnected", code, reason: end.reason, retryInMs });
  }

  /** What can be put right is, once, and then it is tried again without delay. */
  #corrected(end: LinkEnd): boolean {
    if (end.kind === "skewed" && !this.#clockCorrected && Number.isFinite(end.clockOffset)) {
      this.#clockOffset = end.clockOffset;
      this.#clockCorrected = true;
      return true;
    }
    // The mesh's rotation is over: the key that it had announced is its key now.
    if (
      end.kind === "refused" &&
      end.error.code === "mesh_key_mismatch" &&
      this.#nextMeshKey !== null
    ) {
      this.#meshKey = this.#nextMeshKey;
      this.#nextMeshKey = null;
      return true;
    }
    return this.#keyChanged(end);
  }

  /** The mesh has barred the old key for the new one, now or at a word of it that got lost. */
  #keyChanged(end: LinkEnd): boolean {
    const change = this.#keyChange;
    if (change === null || end.kind !== "refused" || end.error.code !== "rotated") return false;
    if (this.#hello.keys === change.keys) return false;
    this.#hello = { ...this.#hello, keys: change.keys };
    return true;
  }

  #again(): void {
    this.#state = { at: "connecting", link: this.#dial() };
    this.#announceDial();
  }

  #announceDial(): void {
    this.#emit({ type: "connecting", url: this.#to.url, failures: this.#comeback.failures });
  }

  #finish(error: PeerError | null): void {
    this.#state = { at: "closed" };
    this.#watchdog?.stop();
    this.#work.stop(error?.message ?? "the peer closes");
    this.#requests.stop(error?.message ?? "the peer closes");
    this.tasks.stop(error ?? new PeerError("closed", "the peer is closed"));
    this.#keyChange?.fail(error?.message ?? "the peer closes");
    this.#ready.reject(error ?? new PeerError("closed", "the peer was closed before it joined"));
    if (error === null) this.#closed.resolve();
    else this.#closed.reject(error);
    this.#emit({ type: "closed", error: error ?? undefined });
  }

  /** A listener that throws must not break the session; its error goes where uncaught ones go. */
  #emit(event: PeerEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
