/** Watches the streams of a command for silence, and can end them though the far side does not. */
export class OutputWatch {
  /** Whoever waits for the next chunk. */
  readonly #waiting = new Set<(end: undefined) => void>();
  #isEnded = false;
  #lastMs = performance.now();
  #busy = 0;

  /** Passes a stream on until it ends, or `end` is called. What came before is passed on in any case. */
  async *watch(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const chunks = source[Symbol.asyncIterator]();
    while (!this.#isEnded) {
      const next = await this.#unlessEnded(chunks.next());
      if (next === undefined || next.done) return;
      // While our own reader takes nothing, the far side is not silent.
      this.#busy += 1;
      try {
        yield next.value;
      } finally {
        this.#busy -= 1;
        this.#lastMs = performance.now();
      }
    }
  }

  /** For how long nothing has come, in milliseconds; 0 while what came is still being taken. */
  get silentMs(): number {
    return this.#busy > 0 ? 0 : performance.now() - this.#lastMs;
  }

  /** Begins to count anew. */
  touch(): void {
    this.#lastMs = performance.now();
  }

  /** Ends the streams that are passed on. */
  end(): void {
    this.#isEnded = true;
    for (const stop of this.#waiting) stop(undefined);
  }

  /** Not by a race with one promise for all: each chunk would leave something behind in that. */
  #unlessEnded<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      work.then(resolve, reject).finally(() => this.#waiting.delete(resolve));
    });
  }
}
