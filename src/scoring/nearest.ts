interface Found {
  readonly index: number;
  readonly distance: number;
}

/** Collects the nearest of the offered items, up to a number and a distance: a heap with the farthest on top. */
export class Nearest {
  readonly room: number;
  readonly #heap: Found[] = [];
  readonly #outermost: number;

  constructor(room: number, outermost: number) {
    this.room = room;
    this.#outermost = outermost;
  }

  /** Items farther than this are not accepted any more. */
  get bound(): number {
    return this.#heap.length < this.room ? this.#outermost : (this.#heap[0] as Found).distance;
  }

  offer(index: number, distance: number): void {
    if (!(distance <= this.#outermost)) return;
    const offered = { index, distance };
    const heap = this.#heap;
    if (heap.length < this.room) {
      heap.push(offered);
      this.#rise(heap.length - 1);
    } else if (isFarther(heap[0] as Found, offered)) {
      heap[0] = offered;
      this.#sink();
    }
  }

  /** Nearest first; equally near ones by their index. */
  sorted(): readonly Found[] {
    return this.#heap.toSorted((a, b) => a.distance - b.distance || a.index - b.index);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isFarther(heap[at] as Found, heap[parent] as Found)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0; ;) {
      let farthest = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && isFarther(heap[child] as Found, heap[farthest] as Found))
          farthest = child;
      if (farthest === at) return;
      this.#swap(at, farthest);
      at = farthest;
    }
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a] as Found;
    this.#heap[a] = this.#heap[b] as Found;
    this.#heap[b] = held;
  }
}

const isFarther = (a: Found, b: Found): boolean =>
  a.distance > b.distance || (a.distance === b.distance && a.index > b.index);
