import type { Role } from "../protocol/messages.ts";
import { ScoreBuckets } from "./score-buckets.ts";

/** What sets peers apart for tasks, beside their score: peers alike in it are of one kind. */
export interface Traits {
  readonly role: Role;
  /** Whether it answers. */
  readonly active: boolean;
  /** Whether it takes Muster's own messages, or go-p2p's requests alone. */
  readonly speaksMuster: boolean;
  readonly capabilities: readonly string[];
  /** Whether it has a slot free; otherwise a task would wait at it. */
  readonly free: boolean;
  /** Whether little is known of it yet. */
  readonly fresh: boolean;
}

/** What a task asks of a peer, as far as its traits tell. */
export type Wanted = (traits: Traits) => boolean;

/** How many peers there are of a kind, and how many of them are ranked. */
export interface Census {
  readonly traits: Traits;
  readonly members: number;
  readonly ranked: number;
}

/** Peers of one kind, by score. */
export class PeerClass {
  readonly traits: Traits;
  readonly key: string;
  readonly ranked = new ScoreBuckets();
  /** Peers of this kind, ranked or not. */
  members = 0;

  constructor(traits: Traits, key: string) {
    this.traits = { ...traits, capabilities: [...traits.capabilities] };
    this.key = key;
  }

  /** Whether these traits are this kind's, written alike: the usual case, and quick to see. */
  is({ role, active, speaksMuster, capabilities, free, fresh }: Traits): boolean {
    const own = this.traits;
    return (
      role === own.role &&
      active === own.active &&
      speaksMuster === own.speaksMuster &&
      free === own.free &&
      fresh === own.fresh &&
      capabilities.length === own.capabilities.length &&
      capabilities.every((capability, i) => capability === own.capabilities[i])
    );
  }
}

/**
 * The kinds that there are, by number. A fleet has few, however many its peers: so a capability that one peer in a
 * thousand has is found as fast as any. Numbers of kinds without members are given anew.
 */
export class PeerClasses {
  readonly #byKey = new Map<string, number>();
  readonly #kinds: (PeerClass | null)[] = [];
  readonly #vacant: number[] = [];
  /** Grows when a kind comes or goes: what was worked out over all kinds holds until then. */
  version = 0;

  at(number: number): PeerClass {
    return this.#kinds[number] as PeerClass;
  }

  /** Numbers run from 0 to below this. */
  get length(): number {
    return this.#kinds.length;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get bytes(): number {
    return this.#kinds.reduce((sum, kind) => sum + (kind?.ranked.bytes ?? 0), 0);
  }

  /** Counts one more peer of these traits; its kind's number. */
  enter(traits: Traits): number {
    const key = keyOf(traits);
    const known = this.#byKey.get(key);
    const number = known ?? this.#vacant.pop() ?? this.#kinds.length;
    if (known === undefined) {
      this.#kinds[number] = new PeerClass(traits, key);
      this.#byKey.set(key, number);
      this.version += 1;
    }
    this.at(number).members += 1;
    return number;
  }

  /** Counts one peer less. */
  leave(number: number): void {
    const kind = this.at(number);
    kind.members -= 1;
    if (kind.members > 0) return;
    this.#byKey.delete(kind.key);
    this.#kinds[number] = null;
    this.#vacant.push(number);
    this.version += 1;
  }

  *census(): Iterable<Census> {
    for (const kind of this.#kinds)
      if (kind !== null)
        yield { traits: kind.traits, members: kind.members, ranked: kind.ranked.count };
  }

  suiting(wanted: Wanted): Uint32Array {
    const suiting: number[] = [];
    for (const [number, kind] of this.#kinds.entries())
      if (kind !== null && wanted(kind.traits)) suiting.push(number);
    return Uint32Array.from(suiting);
  }
}

/** Capabilities have no spaces. Listed in another order they make another kind: it costs little, and sorting more. */
const keyOf = ({ role, active, speaksMuster, capabilities, free, fresh }: Traits): string =>
  `${role} ${active} ${speaksMuster} ${free} ${fresh} ${capabilities.join(" ")}`;
