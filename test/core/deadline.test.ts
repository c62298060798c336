import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { abortable, Deadline, isTimeout, sleep } from '../../src/core/deadline.ts';
import { milliseconds } from '../../src/core/duration.ts';

describe('a deadline', () => {
  it('aborts with a timeout that names the work and the time', async () => {
    using deadline = new Deadline(milliseconds(20), 'the command');
    await assert.rejects(sleep(5_000, deadline.signal), {
      code: 'timeout',
      message: 'the command did not end within 20ms',
    });
    assert.ok(isTimeout(deadline.signal.reason));
  });

  it("passes the parent's reason on", async () => {
    const parent = new AbortController();
    using deadline = new Deadline(milliseconds(5_000), 'x', parent.signal);
    parent.abort(new Error('stop'));
    await assert.rejects(abortable(new Promise(() => undefined), deadline.signal), { message: 'stop' });
  });

  it('lets work that is done in time settle as it does', async () => {
    using deadline = new Deadline(milliseconds(5_000), 'x');
    assert.equal(await abortable(Promise.resolve(7), deadline.signal), 7);
    await assert.rejects(abortable(Promise.reject(new Error('own')), deadline.signal), { message: 'own' });
  });
});
