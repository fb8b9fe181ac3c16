/** A timer of a key. */
export interface Timer {
  /** When it is due, ms since the epoch. */
  readonly at: number;
  readonly name: string;
  /** Which key. */
  readonly slot: number;
}

/** Timers by time, ties by the text of their key, then by name: an order that does not depend on batches. A binary heap. */
export class TimerQueue {
  readonly #heap: Timer[] = [];
  readonly #keyText: (slot: number) => string;

  constructor(keyText: (slot: number) => string) {
    this.#keyText = keyText;
  }

  push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  /** The first timer that is due at `time`, taken out; undefined where none is. */
  due(time: number): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || !(first.at <= time)) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let smallest = at;
      if (left < heap.length && this.#before(heap[left]!, heap[smallest]!)) smallest = left;
      if (right < heap.length && this.#before(heap[right]!, heap[smallest]!)) smallest = right;
      if (smallest === at) return;
      [heap[at], heap[smallest]] = [heap[smallest]!, heap[at]!];
      at = smallest;
    }
  }

  #before(a: Timer, b: Timer): boolean {
    if (a.at !== b.at) return a.at < b.at;
    const [x, y] = [this.#keyText(a.slot), this.#keyText(b.slot)];
    return x === y ? a.name < b.name : x < y;
  }
}
