import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RunLog } from '../../src/aloha/run-log.ts';

const at = '2026-11-24 10:00:00,123';
const lines = (...texts: string[]) => texts.map((text) => `${at} - INFO - ${text}\r\n`).join('');
const begun = lines(
  'process_input thread started.',
  '[simple_sampling_loop] starting task: x unique_task_id: 1124-100000_tid_t_ab12cd',
  'step_count: 1',
  'step_count: 2',
);
const over = lines('process_input thread finished.');
const read = (text: string) => {
  const log = new RunLog();
  log.feed(text);
  return log.progress;
};

describe("the Aloha client's log", () => {
  it('names the run and counts its steps', () => {
    assert.deepEqual(read(begun), { taskId: '1124-100000_tid_t_ab12cd', step: 2, end: undefined });
  });
  it('tells a completed run', () => {
    const text = begun + lines('[loop_msg] type=text content=Task completed. Final screenshot:') + over;
    assert.equal(read(text).end?.kind, 'completed');
  });
  it('tells a failed run with its reason, by a message or by an exception', () => {
    const message = read(begun + lines('[loop_msg] type=error content=No response from  Run server. Exiting.') + over);
    assert.deepEqual(message.end, { kind: 'failed', message: 'No response from Run server. Exiting.' });
    const exception = read(`${begun}${at} - ERROR - Error during task processing: list index out of range\n${over}`);
    assert.deepEqual(exception.end, { kind: 'failed', message: 'list index out of range' });
  });
  it('tells a run that ended without a word', () => assert.equal(read(begun + over).end?.kind, 'unfinished'));
  it('is not over before its thread is', () => {
    assert.equal(read(begun + lines('[loop_msg] type=error content=x')).end, undefined);
  });
  it('takes no line for its own that the client did not log', () => {
    const text = `${begun}process_input thread finished.\nstep_count: 99\n${lines('[loop_msg] type=text content=step_count: 7')}`;
    assert.deepEqual([read(text).step, read(text).end], [2, undefined]);
  });
  it('reads the same however it is cut', () => {
    const text = begun + lines('[loop_msg] type=text content=Task completed. Final screenshot:') + over;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const log = new RunLog();
        const ends = [...cuts.sort((a, b) => a - b), text.length];
        let from = 0;
        for (const end of ends) {
          log.feed(text.slice(from, end));
          from = end;
        }
        assert.deepEqual(log.progress, read(text));
      }),
    );
  });
});
