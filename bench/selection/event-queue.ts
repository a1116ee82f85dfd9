/** A queue of events by time: a binary heap in typed arrays. Events with equal times keep their insertion order. */
export class EventQueue {
  #times = new Float64Array(1_024);
  #orders = new Float64Array(1_024);
  #events = new Int32Array(1_024);
  #size = 0;
  #count = 0;

  /** The time of the next event; Infinity when the queue is empty. */
  next(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] as number);
  }

  push(time: number, event: number): void {
    if (this.#size === this.#times.length) this.#grow();
    let at = this.#size++;
    const order = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(time, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, event);
  }

  /** Removes and returns the next event. The queue must not be empty. */
  pop(): number {
    const first = this.#events[0] as number;
    const last = --this.#size;
    const [time, order] = [this.#times[last] as number, this.#orders[last] as number];
    const event = this.#events[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (
        child + 1 < last &&
        this.#before(this.#times[child + 1] as number, this.#orders[child + 1] as number, child)
      )
        child++;
      if (this.#before(time, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, time, order, event);
    return first;
  }

  #before(time: number, order: number, at: number): boolean {
    const other = this.#times[at] as number;
    return time < other || (time === other && order < (this.#orders[at] as number));
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from] as number,
      this.#orders[from] as number,
      this.#events[from] as number,
    );
  }

  #put(at: number, time: number, order: number, event: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#events[at] = event;
  }

  #grow(): void {
    this.#times = doubled(this.#times);
    this.#orders = doubled(this.#orders);
    const events = new Int32Array(this.#events.length * 2);
    events.set(this.#events);
    this.#events = events;
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const more = new Float64Array(values.length * 2);
  more.set(values);
  return more;
}
