import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AutomationError } from '../../src/core/errors.ts';
import { backoffMs, retry } from '../../src/core/retry.ts';

const transient = () => new AutomationError('ssh_unreachable', 'refused', { isTransient: true });
const never = new AbortController().signal;

/** Fails `failures` times, then gives 'done'; the waits are noted and not waited. */
async function run(failures: number, attempts: number, error: () => unknown = transient) {
  const waits: number[] = [];
  let tries = 0;
  const outcome = await retry(
    async () => {
      tries += 1;
      if (tries <= failures) throw error();
      return 'done';
    },
    { attempts, signal: never, wait: async (ms) => void waits.push(ms) },
  ).catch((thrown: unknown) => thrown);
  return { outcome, waits, tries };
}

describe('retry', () => {
  it('waits 500 ms and 1 s between three attempts', async () => {
    const { outcome, waits, tries } = await run(9, 3);
    assert.equal(tries, 3);
    assert.deepEqual(waits, [500, 1000]);
    assert.equal((outcome as AutomationError).code, 'ssh_unreachable');
  });

  it('reaches 2 s with a fourth attempt', async () => assert.deepEqual((await run(9, 4)).waits, [500, 1000, 2000]));

  it('stops at the first success', async () => {
    assert.deepEqual(await run(1, 3), { outcome: 'done', waits: [500], tries: 2 });
  });

  it('never repeats what is final', async () => {
    const final = () => new AutomationError('ssh_authentication_failed', 'no');
    assert.equal((await run(9, 3, final)).tries, 1);
    assert.equal((await run(9, 3, () => new Error('anything'))).tries, 1);
  });

  it('ends the wait at once when the signal is aborted, with its reason', async () => {
    const controller = new AbortController();
    const reason = new AutomationError('interrupted', 'Ctrl-C');
    setTimeout(() => controller.abort(reason), 20);
    const startedMs = performance.now();
    const failing = retry(() => Promise.reject(transient()), { attempts: 10, signal: controller.signal });
    await assert.rejects(failing, reason);
    assert.ok(performance.now() - startedMs < 400);
  });

  it('refuses a number of attempts that makes no sense', async () => {
    await assert.rejects(
      retry(async () => 1, { attempts: 0, signal: never }),
      RangeError,
    );
    await assert.rejects(
      retry(async () => 1, { attempts: 1.5, signal: never }),
      RangeError,
    );
  });

  it('doubles each wait', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), (n) => assert.equal(backoffMs(n + 1), 2 * backoffMs(n))));
  });
});
