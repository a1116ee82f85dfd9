import type { Role } from "../protocol/messages.ts";
import { ScoreBuckets } from "./score-buckets.ts";

/** What distinguishes peers for tasks, besides their score. Peers with equal traits form one class. */
export interface Traits {
  readonly role: Role;
  /** Whether it answers. */
  readonly active: boolean;
  /** Whether it gets no new tasks, because it is cordoned or drains. */
  readonly cordoned: boolean;
  readonly capabilities: readonly string[];
  /** The kinds of task that it handles. */
  readonly kinds: readonly string[];
  /** Whether it has any slots. */
  readonly works: boolean;
  /** Whether it has a free slot; otherwise a task would be prefetched. */
  readonly free: boolean;
  /** Whether few outcomes are known yet. */
  readonly fresh: boolean;
}

/** What a task requires of a peer's traits. */
export type TraitFilter = (traits: Traits) => boolean;

/** How many peers a class has, and how many of them are ranked. */
export interface Census {
  readonly traits: Traits;
  readonly members: number;
  readonly ranked: number;
}

/** The peers of one class, by score. */
export class PeerClass {
  readonly traits: Traits;
  readonly key: string;
  readonly ranked = new ScoreBuckets();
  /** Number of peers of this class, ranked or not. */
  members = 0;

  constructor(traits: Traits, key: string) {
    this.traits = {
      ...traits,
      capabilities: [...traits.capabilities],
      kinds: [...traits.kinds],
    };
    this.key = key;
  }

  /** Whether these traits are written exactly as this class's: the usual case, and fast to check. */
  is({ role, active, cordoned, capabilities, kinds, works, free, fresh }: Traits): boolean {
    const own = this.traits;
    return (
      role === own.role &&
      active === own.active &&
      cordoned === own.cordoned &&
      works === own.works &&
      free === own.free &&
      fresh === own.fresh &&
      isSameList(capabilities, own.capabilities) &&
      isSameList(kinds, own.kinds)
    );
  }
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((one, i) => one === b[i]));

/**
 * The classes of peers, by number. A mesh has few classes, however many peers it has, so a capability that one peer in
 * a thousand has is found as fast as any other. Numbers of classes without members are reused.
 */
export class PeerClasses {
  readonly #byKey = new Map<string, number>();
  readonly #kinds: (PeerClass | null)[] = [];
  readonly #vacant: number[] = [];
  /** Grows when a class is added or removed. Results over all classes are valid until then. */
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

  /** Counts one more peer with these traits. Returns the number of its class. */
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

  suiting(wanted: TraitFilter): Uint32Array {
    const suiting: number[] = [];
    for (const [number, kind] of this.#kinds.entries())
      if (kind !== null && wanted(kind.traits)) suiting.push(number);
    return Uint32Array.from(suiting);
  }
}

/** Capabilities and kinds contain no spaces. In another order they form another class, which costs less than sorting them. */
const keyOf = ({ capabilities, kinds, ...traits }: Traits): string =>
  [
    traits.role,
    ...[traits.active, traits.cordoned, traits.works, traits.free, traits.fresh].map(Number),
    capabilities.join(" "),
    kinds.join(" "),
  ].join("  ");
