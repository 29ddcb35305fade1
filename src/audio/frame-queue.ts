/**
 * A bounded queue from one producer to one consumer. The producer chooses what a full queue means: {@link push} waits for
 * room, {@link offer} drops the oldest item and counts it.
 */
export class FrameQueue<T extends object> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #items: (T | undefined)[] = [];
  /** Index of the oldest item: shifting an array of thousands for each frame would cost more than the frame. */
  #head = 0;
  #ended = false;
  #dropped = 0;
  /** Resolves what the consumer or the producer is waiting for. */
  #wakeConsumer: (() => void) | undefined;
  #wakeProducer: (() => void) | undefined;

  /** @param capacity Items held at most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Items that {@link offer} has dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an item, waiting while the queue is full. Items pushed after {@link end} or an abort are discarded. */
  async push(item: T, signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#ended || signal?.aborted) return;
      if (this.size < this.#capacity) break;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeProducer = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
    this.#add(item);
  }

  /** Adds an item at once; the oldest one goes when the queue is full. */
  offer(item: T): void {
    if (this.#ended) return;
    if (this.size >= this.#capacity) {
      this.#advance();
      this.#dropped++;
    }
    this.#add(item);
  }

  /** No more items will come: the consumer sees the end after what is queued. */
  end(): void {
    this.#ended = true;
    this.#wakeConsumer?.();
    this.#wakeProducer?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        for (const item of this.#queued()) {
          this.#wakeProducer?.();
          yield item;
        }
        if (this.#ended) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakeConsumer = resolve;
        await promise;
      }
    } finally {
      // A consumer that stops reading must not leave the producer waiting for room.
      this.end();
    }
  }

  #add(item: T): void {
    this.#items.push(item);
    this.#wakeConsumer?.();
  }

  /** What is queued, each item taken out as it is given. */
  *#queued(): Generator<T, void, undefined> {
    for (;;) {
      const item = this.#items[this.#head];
      if (item === undefined) return;
      this.#advance();
      yield item;
    }
  }

  #advance(): void {
    // What is consumed is not kept until the array is cut: sound takes room, and somebody's may have to be gone.
    this.#items[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
