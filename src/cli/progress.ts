import process from 'node:process';

const redrawEveryMs = 100;
const showAfterMs = 500;
const barWidth = 24;

/** A progress bar on standard error: for a terminal alone, and only for what takes over half a second. */
export class ProgressBar implements Disposable {
  readonly #isShown: boolean;
  readonly #startedMs = performance.now();
  #drawnMs = 0;

  constructor(isQuiet: boolean) {
    this.#isShown = process.stderr.isTTY === true && !isQuiet;
  }

  /** Tells how far it has come. @param done in the unit of `total` */
  update(label: string, done: number, total: number): void {
    const nowMs = performance.now();
    if (!this.#isShown || nowMs - this.#startedMs < showAfterMs || nowMs - this.#drawnMs < redrawEveryMs) return;
    this.#drawnMs = nowMs;
    process.stderr.write(`\r\u001b[K${progressLine(label, done, total)}`);
  }

  /** Takes it off the screen. */
  [Symbol.dispose](): void {
    if (this.#drawnMs > 0) process.stderr.write('\r\u001b[K');
  }
}

/** One line of a progress bar. */
function progressLine(label: string, done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  return `${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)} ${Math.floor(share * 100)}% ${label}`;
}
