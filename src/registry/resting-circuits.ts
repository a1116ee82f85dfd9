import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { peerKindKey } from "./peer-kind-key.ts";

/** In place of a kind: the circuit of the peer as a whole. */
export const WHOLE_PEER = "";
/** A circuit that is not closed. */
export interface RestingCircuit {
  readonly peerId: PeerId;
  /** `WHOLE_PEER` or a kind. */
  readonly kind: string;
  readonly restsUntil: Millis;
  /** Since when it is not closed. */
  readonly openedAt: Millis;
}

/** The circuits that are not closed, by kind, in memory. They are read again after a transaction failed that changed them. */
export class RestingCircuits {
  readonly #read: () => Iterable<RestingCircuit>;
  #all: Map<string, RestingCircuit> | null = null;
  readonly #byKind = new Map<string, Map<PeerId, RestingCircuit>>();
  /** Whether each open transaction has changed anything, the innermost transaction last. */
  readonly #changed: boolean[] = [];

  constructor(read: () => Iterable<RestingCircuit>) {
    this.#read = read;
  }

  wrote({ restsUntil, ...circuit }: Omit<RestingCircuit, "restsUntil"> & Rests): void {
    const { peerId, kind } = circuit;
    if (this.#all === null) return; // the read finds it, too
    const key = peerKindKey(peerId, kind);
    if (restsUntil === null && !this.#all.has(key)) return;
    this.#noteChange();
    if (restsUntil === null) {
      this.#all.delete(key);
      this.#byKind.get(kind)?.delete(peerId);
    } else this.#add(this.#all, { ...circuit, restsUntil });
  }

  /** The peers that rest, or are probed, at a kind: with the time until which they rest. */
  at(kind: string): ReadonlyMap<PeerId, Millis> {
    this.#load();
    const [whole, ofKind] = [this.#byKind.get(WHOLE_PEER), this.#byKind.get(kind)];
    const found = new Map<PeerId, Millis>();
    for (const circuits of [whole, ofKind])
      for (const { peerId, restsUntil } of circuits?.values() ?? [])
        found.set(peerId, Math.max(restsUntil, found.get(peerId) ?? 0));
    return found;
  }

  /** How many circuits of whole peers are not closed, and how many of peers for one kind. */
  get counts(): { readonly peer: number; readonly kind: number } {
    const all = this.#load().size;
    const peer = this.#byKind.get(WHOLE_PEER)?.size ?? 0;
    return { peer, kind: all - peer };
  }

  all(): Iterable<RestingCircuit> {
    return this.#load().values();
  }

  kindsOf(peerId: PeerId): readonly string[] {
    const found: string[] = [];
    for (const one of this.#load().values()) if (one.peerId === peerId) found.push(one.kind);
    return found;
  }

  /** When the next rest ends; null when none does. */
  nextEnd(now: Millis): Millis | null {
    let next = Infinity;
    for (const { restsUntil } of this.#load().values())
      if (restsUntil > now && restsUntil < next) next = restsUntil;
    return next === Infinity ? null : next;
  }

  forget(): void {
    this.#all = null;
    this.#byKind.clear();
  }

  begin(): void {
    this.#changed.push(false);
  }

  commit(): void {
    if (this.#changed.pop() === true) this.#noteChange();
  }

  rollback(): void {
    if (this.#changed.pop() === true) this.forget();
  }

  /** If the open transaction fails, the circuits are read again. */
  #noteChange(): void {
    if (this.#changed.length > 0) this.#changed[this.#changed.length - 1] = true;
  }

  #load(): Map<string, RestingCircuit> {
    if (this.#all !== null) return this.#all;
    this.#noteChange(); // what is read may be what the open transaction wrote
    const all = new Map<string, RestingCircuit>();
    for (const one of this.#read()) this.#add(all, one);
    return (this.#all = all);
  }

  #add(all: Map<string, RestingCircuit>, one: RestingCircuit): void {
    all.set(peerKindKey(one.peerId, one.kind), one);
    const ofKind = this.#byKind.get(one.kind) ?? new Map<PeerId, RestingCircuit>();
    this.#byKind.set(one.kind, ofKind.set(one.peerId, one));
  }
}

interface Rests {
  readonly restsUntil: Millis | null;
}
