import { expect } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import type { CommandName, Input } from "../../src/contract/commands.ts";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import { sampleRtt } from "../../src/scoring/rtt.ts";
import { must, mustFail, present } from "../must.ts";
import { emptySharedSql } from "./shared-sql.ts";
import { KEYS, submission, TestMesh, TestPeer } from "./mesh.ts";
import { expectEqualState, applyCheckedEffects } from "./compare-with-model.ts";
import { isConnected, Model, type ModelPeer } from "./model.ts";
import { expectedAct, isHeld, newTask, putBack } from "./model-task.ts";
import type { Op, Operation } from "./operations.ts";
import { HistoryGroup } from "./history-group.ts";
import { exactJsonOf, healthyRejoins, restart, type PastOffer } from "./history-parts.ts";

/** Runs a history on the coordinator and on the model, and compares the two after each step. */
export class HistoryRunner {
  readonly mesh: TestMesh;
  readonly model: Model;
  readonly offers: PastOffer[] = [];
  /** The number of task_ended effects of each task. */
  readonly endCounts = new Map<string, number>();
  readonly #peers: readonly TestPeer[];
  #skipsComparison = false;
  readonly #keys = new Map<string, { readonly request: string; readonly taskId: string }>();
  /** The number of blobs that were stored. */
  #blobsStored = 0;
  #observations = 0;
  /** What commands are added to; null while each runs at once. */
  #group: HistoryGroup | null = null;

  constructor(seed: number) {
    this.mesh = new TestMesh({ seed, sql: emptySharedSql() });
    const ids = KEYS.map(({ id }) => id);
    this.model = new Model(ids, this.mesh.now);
    this.#peers = KEYS.map((key) => new TestPeer(this.mesh, key));
  }

  step(operation: Operation): void {
    this.#perform(operation);
    this.compareState();
  }

  /** Like `step`, but does not compare the database: the caller calls `compareState`. */
  stepWithoutComparing(operation: Operation): void {
    this.#skipsComparison = true;
    this.#perform(operation);
    this.#skipsComparison = false;
  }

  compareState(): void {
    expectEqualState(this.mesh, this.model, this.#blobsStored);
  }

  /** Connects every peer and lets it finish its tasks for five minutes. */
  healAllPeers(): void {
    for (const operation of healthyRejoins(KEYS.length)) this.step(operation);
    const end = this.mesh.now + 5 * MINUTE;
    while (this.mesh.now < end) this.#finishHeldTasks();
  }

  /** Lets every held task succeed, then advances the clock to the next due time or the next sweep. */
  #finishHeldTasks(): void {
    for (let held = this.#heldOfferIndex(); held >= 0; held = this.#heldOfferIndex())
      this.step({ type: "task_message", what: "succeed", offer: held, by: 0, late: false });
    const { now, registry } = this.mesh;
    const due = Math.min(registry.tasks.nextDue(now) ?? Infinity, now + MINUTE);
    this.step({ type: "pass", ms: Math.max(1, due - now) });
    this.step({ type: "tick" });
  }

  /** The index, counted from the newest, of an offer whose task is held now; -1 if there is none. */
  #heldOfferIndex = (): number =>
    this.offers.toReversed().findIndex(({ taskId, fence, peer }) => {
      const task = present(this.model.tasks.get(taskId));
      if (this.model.now >= task.deadlineAt) return false;
      return isHeld(task) && task.fence === fence && task.holder === peer.id;
    });

  #perform(operation: Operation): void {
    switch (operation.type) {
      case "join":
        return this.#join(operation);
      case "leave":
        return this.#leave(operation);
      case "observe":
        return this.#observe(operation);
      case "submit":
        return this.#submit(operation);
      case "task_message":
        return this.#sendTaskMessage(operation);
      case "offer_failed":
        return this.#offerFailed(operation);
      case "cancel":
      case "retry":
        return this.#cancelOrRetry(operation);
      case "pass":
        this.mesh.advanceClock(operation.ms);
        return void (this.model.now = this.mesh.now);
      case "tick":
        this.model.tick();
        return this.#expectSuccess("tick", {});
      case "restart":
        return restart(this.mesh, this.model);
      case "group":
        return this.#runGroup(operation);
      case "revoke":
      case "forget":
        return this.#remove(operation);
      case "allow":
        return this.#allow(operation);
      case "disallow":
        return this.#disallow(operation);
      case "mode":
        this.model.mode = operation.mode;
        for (const peer of this.model.peers.values())
          if (isConnected(peer)) this.model.endSessionIfUnqualified(peer);
        return this.#expectSuccess("set_auth_mode", { mode: operation.mode });
      case "publish":
        return this.#publish(operation);
      default:
        return operation satisfies never;
    }
  }

  #join({ peer: index, role: claimedRole, rttMs, heldList, ...announced }: Op<"join">) {
    const [peer, testPeer] = this.#peer(index);
    const expected = this.model.expectedAdmission(peer, claimedRole);
    testPeer.session = this.mesh.newSession();
    const listed = heldList === "empty_list" ? [] : this.model.workOf(peer);
    const held = listed.map(({ task, fence }) => ({ task_id: task.id, fence }));
    const request = testPeer.admitInput({
      ...announced,
      claimedRole,
      rttMs,
      ...(heldList !== "no_list" && { held }),
    });
    if (typeof expected === "string") return this.#expectError("admit", request, expected);
    const heldBefore = this.model.heldBy(peer.id).length;
    this.model.join(peer, { ...announced, ...expected });
    if (heldList !== "no_list") this.model.reconcileHeldTasks(peer, listed);
    // A node that begins as suspect, because it has flapped, brings no room: what has become due waits for the alarm.
    const hasReturned = this.model.heldBy(peer.id).length < heldBefore;
    this.#expectSuccess("admit", request, peer.state === "active" || hasReturned);
  }

  #leave({ peer: index, late }: Op<"leave">): void {
    const [peer] = this.#peer(index);
    const epoch = peer.epoch - Number(late);
    const input = { peerId: peer.id, epoch, reason: "closed", silent: false };
    if (late || !peer.hasRecord || !isConnected(peer)) return this.#expectNoChange("gone", input);
    this.model.disconnect(peer);
    this.#expectSuccess("gone", input);
  }

  #observe({ peer: index, late, event, rttMs }: Op<"observe">): void {
    const [peer] = this.#peer(index);
    const rtt = rttMs === null ? null : sampleRtt(null, rttMs);
    const seq = ++this.#observations;
    const input = { peerId: peer.id, epoch: peer.epoch - Number(late), seq, event, rtt };
    if (late || !peer.hasRecord || !isConnected(peer))
      return this.#expectNoChange("observe", input);
    const before = peer.state;
    if (event === "answered") this.model.answer(peer);
    else this.model.becomeSuspect(peer);
    this.#expectSuccess("observe", input, peer.state === "active" && before !== "active");
  }

  /** When the object stops after the commit, no peer gets the offers, and no caller its answer. */
  #runGroup({ operations, stopsAfterCommit }: Op<"group">): void {
    const group = (this.#group = new HistoryGroup());
    for (const one of operations) this.#perform(one);
    this.#group = null;
    const received = this.offers.length;
    this.#applyEffects(group.run(this.mesh), group.dispatches);
    if (!stopsAfterCommit) return;
    this.offers.length = received;
    restart(this.mesh, this.model);
  }

  #submit(operation: Op<"submit">): void {
    const { kind, capabilities, requiredPeer: peerIndex, priority, key } = operation;
    const { maxAttempts, maxInterruptions, leaseSeconds, timeoutSeconds } = operation;
    const { delaySeconds, deadlineSeconds } = operation;
    const from = this.model.now + delaySeconds * 1_000;
    const peerId = peerIndex === null ? undefined : KEYS[peerIndex]?.id;
    const task = {
      kind,
      requirements: { capabilities, ...(peerId !== undefined && { peer_id: peerId }) },
      priority,
      max_attempts: maxAttempts,
      max_interruptions: maxInterruptions,
      attempt_timeout_seconds: timeoutSeconds,
      lease_seconds: leaseSeconds,
      deadline_seconds: deadlineSeconds,
      ...(delaySeconds > 0 && { not_before: new Date(from).toISOString() }),
    };
    const input = submission(task, { idempotency: key === null ? null : { key, scope: "admin" } });
    const before = key === null ? undefined : this.#keys.get(key);
    const request = JSON.stringify(task);
    if (before !== undefined && before.request !== request)
      return this.#expectError("submit_task", input, "idempotency_mismatch");
    const { result, effects } = this.mesh.execute("submit_task", input);
    const { task: view, duplicate } = must(result);
    expect(duplicate).toBe(before !== undefined);
    if (before !== undefined) return expect([view.id, effects]).toEqual([before.taskId, []]);
    if (key !== null) this.#keys.set(key, { request, taskId: view.id });
    this.model.tasks.set(view.id, {
      id: view.id,
      kind,
      turn: from - priority * 60_000,
      priority,
      submissionIndex: this.model.tasks.size,
      capabilities,
      requiredPeer: peerId,
      maxAttempts,
      maxInterruptions,
      leaseMs: leaseSeconds * 1_000,
      attemptTimeoutMs: timeoutSeconds * 1_000,
      deadlineMs: deadlineSeconds * 1_000,
      deadlineAt: from + deadlineSeconds * 1_000,
      notBefore: from,
      ...newTask(),
    });
    this.#applyEffects(effects, true);
  }

  #sendTaskMessage({ what, offer: index, by, late }: Op<"task_message">): void {
    const offer = this.#offer(index);
    if (offer === undefined) return;
    const { taskId, fence, peer: addressee } = offer;
    const task = present(this.model.tasks.get(taskId));
    const [peer] = by === 0 ? [addressee] : this.#peer(by);
    const epoch = peer.epoch - Number(late);
    const claim = { peerId: peer.id, epoch, taskId, fence };
    const outcomeKnown = ["succeed", "fail", "give_up"].includes(what);
    const isHolder = task.fence === fence && isHeld(task) && task.holder === peer.id;
    const held = isHolder && !late && this.model.now < task.deadlineAt;
    const resumes = !held && !late && this.model.canResume(task, peer, fence, outcomeKnown);
    const repeats = outcomeKnown && this.model.hasReported(task, peer, fence, what === "succeed");
    if (resumes) this.model.resume(task, fence);
    const holds = held || resumes;
    const send = <K extends CommandName>(name: K, input: Input<K>, dispatches: boolean): void =>
      holds || repeats
        ? this.#expectSuccess(name, input, dispatches && holds)
        : this.#expectError(name, input, "lease_lost");
    const [attempt, claimed] = [{ task_id: taskId, fence }, `${taskId} ${fence}`];
    const outcome = (ok: object) =>
      ({ peerId: peer.id, epoch, outcome: { ...attempt, ...ok } }) as Input<"finish_task">;
    switch (what) {
      case "accept":
      case "queue":
        if (holds) this.model.acceptOrQueue(task, what === "queue");
        return send("accept_task", { ...claim, queued: what === "queue" }, false);
      case "progress":
        if (holds) this.model.renewLease(task, false);
        return send("progress_task", { ...claim, progress: 0.5 }, false);
      case "refuse":
        if (holds) this.model.release(task, { how: "refused", countsAsFailure: false });
        return send("refuse_task", { ...claim, reason: "busy" }, true);
      case "hand_back":
        if (holds) this.model.release(task, { how: "reclaimed", countsAsFailure: false });
        return send("release_task", { ...claim, reason: "asked back", begun: false }, true);
      case "succeed":
        if (holds) this.model.succeed(task, claimed);
        return send("finish_task", outcome({ ok: true, result: exactJsonOf(claimed) }), true);
      case "fail":
      case "give_up": {
        const retry = what === "fail";
        const how = retry ? "failed" : "given_up";
        if (holds) this.model.release(task, { how, countsAsFailure: true });
        return send("finish_task", outcome({ ok: false, error: "it broke", retry }), true);
      }
      default:
        return what satisfies never;
    }
  }

  #offerFailed({ offer: index, session }: Op<"offer_failed">): void {
    const offer = this.#offer(index);
    if (offer === undefined) return;
    const { taskId, fence, peer, epoch } = offer;
    const task = present(this.model.tasks.get(taskId));
    const held = task.state === "leased" && task.fence === fence && task.holder === peer.id;
    if (held && this.model.now < task.deadlineAt)
      this.model.release(task, {
        how: session === "unknown" ? "unanswered" : "reclaimed",
        countsAsFailure: false,
      });
    const current = peer.hasRecord && isConnected(peer) && peer.epoch === epoch;
    if (current && session === "gone") this.model.disconnect(peer);
    if (current && session === "silent") this.model.becomeSuspect(peer);
    const claim = { peerId: peer.id, epoch, taskId, fence };
    this.#expectSuccess("offer_failed", { ...claim, reason: "no answer", session });
  }

  #cancelOrRetry({ type, task: index }: Op<"cancel" | "retry">): void {
    const task = [...this.model.tasks.values()][index];
    if (task === undefined) return;
    const input = { id: task.id, visibleTo: null };
    const expected = expectedAct(type, task);
    if (expected === "unchanged") return this.#expectNoChange(`${type}_task`, input);
    if (expected !== "ok") return this.#expectError(`${type}_task`, input, expected);
    if (type === "retry") putBack(task, this.model.now);
    else this.model.cancelOrExpire(task, "cancelled");
    this.#expectSuccess(`${type}_task`, input);
  }

  #remove({ type, peer: index }: Op<"revoke" | "forget">): void {
    const [peer] = this.#peer(index);
    const input = { id: peer.id };
    const refused = type === "forget" && !peer.hasRecord;
    if (refused) return this.#expectError("forget_peer", input, "not_found");
    this.model[type](peer);
    this.#expectSuccess(`${type}_peer`, input);
  }

  #allow({ peer: index, roles, readmit }: Op<"allow">): void {
    const [peer, { key }] = this.#peer(index);
    const { id: peerId, publicKey } = key;
    const input = { publicKey, peerId, label: "", roles, readmit, go_p2p: false };
    if (peer.denied && !readmit) return this.#expectError("allow", input, "conflict");
    if (peer.denied && peer.hasRecord) peer.state = "stale";
    peer.denied = false;
    peer.allowlistRoles = roles;
    this.model.endSessionIfUnqualified(peer);
    this.#expectSuccess("allow", input);
  }

  #disallow({ peer: index }: Op<"disallow">): void {
    const [peer, { key }] = this.#peer(index);
    const input = { publicKey: key.publicKey };
    if (peer.allowlistRoles === null) return this.#expectError("disallow", input, "not_found");
    peer.allowlistRoles = null;
    this.model.endSessionIfUnqualified(peer);
    this.#expectSuccess("disallow", input);
  }

  #publish({ peer: index, late }: Op<"publish">): void {
    const [peer] = this.#peer(index);
    const prepared = must(this.mesh.execute("prepare_publication", { peerId: peer.id }).result);
    if (prepared === null) return;
    const { publication, session, ...of } = prepared;
    this.#blobsStored++;
    this.#expectSuccess(
      "published",
      { ...of, peerId: peer.id, session: session - Number(late), blobId: publication.blobId },
      false,
    );
  }

  #peer(index: number): [ModelPeer, TestPeer] {
    const testPeer = present(this.#peers[index]);
    return [present(this.model.peers.get(testPeer.id)), testPeer];
  }

  /** An offer by its index from the newest; undefined before the first. */
  #offer = (index: number): PastOffer | undefined =>
    this.offers.at(-1 - (index % Math.max(1, this.offers.length)));

  /** Runs a command that must succeed. With `dispatches` no task may be queued afterwards that a peer could run. */
  #expectSuccess<K extends CommandName>(name: K, input: Input<K>, dispatches = true): void {
    if (this.#group !== null) return this.#group.add(name, input, "ok", dispatches);
    const { result, effects } = this.mesh.execute(name, input);
    must(result);
    this.#applyEffects(effects, dispatches);
  }

  #applyEffects(effects: readonly Effect[], dispatches: boolean): void {
    for (const [{ id: taskId, fence }, peer] of applyCheckedEffects(
      this.mesh,
      this.model,
      effects,
      dispatches,
    ))
      this.offers.push({ taskId, fence, peer, epoch: peer.epoch });
    for (const effect of effects)
      if (effect.type === "task_ended")
        this.endCounts.set(effect.taskId, (this.endCounts.get(effect.taskId) ?? 0) + 1);
      else if (effect.type === "end_session")
        must(this.mesh.execute("session_ended", effect).result);
  }

  #expectError<K extends CommandName>(name: K, input: Input<K>, code: string): void {
    if (this.#group !== null) return this.#group.add(name, input, code, false);
    const error = this.#skipsComparison
      ? mustFail(this.mesh.execute(name, input).result)
      : this.mesh.errorOf(name, input);
    if (error.code !== code) expect(error.code).toBe(code);
  }

  #expectNoChange<K extends CommandName>(name: K, input: Input<K>): void {
    if (this.#group !== null) return this.#group.add(name, input, "ok", false);
    const before = this.#skipsComparison ? "" : this.mesh.contents();
    const { result, effects } = this.mesh.execute(name, input);
    must(result);
    if (effects.length > 0) expect(effects).toEqual([]);
    if (!this.#skipsComparison) expect(this.mesh.contents()).toBe(before);
  }
}
