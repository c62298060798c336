import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import {
  decodeFailure,
  encodeFailure,
  envelopeSchema,
  hatchetPriority,
  makeEnvelope,
} from '../../src/jobs/engines/hatchet/envelope.ts';
import { withBeginAndEnd } from '../../src/jobs/engines/hatchet/logs.ts';
import {
  detailsToRecord,
  engineRunSchema,
  engineRunToRecord,
  mergeRecords,
  runDetailsSchema,
  toRecord,
  traceIdOf,
  typeOf,
} from '../../src/jobs/engines/hatchet/records.ts';
import { jobRequest } from '../support/job-request.ts';
import { parseWords } from '../support/words.ts';

const traceId = 'a'.repeat(32);
const id = '6509a191-3a33-48cf-b2ed-caa691cca25d';
const envelope = makeEnvelope(jobRequest('x', { traceId }), undefined);
const run = (changes: object) => ({
  metadata: { id, createdAt: '2026-11-24T23:50:31.504464Z' },
  status: 'QUEUED' as const,
  errorMessage: '',
  input: { input: envelope },
  output: {},
  additionalMetadata: {},
  startedAt: undefined,
  finishedAt: undefined,
  workflowName: 'windows.exec',
  retryCount: 0,
  ...changes,
});
const startedAt = new Date('2026-11-24T23:50:32Z');

describe('a run of Hatchet', () => {
  it('is the job that was enqueued', () => {
    v.parse(envelopeSchema, envelope);
    const record = toRecord(run({}));
    assert.deepEqual(
      [record.jobId, record.traceId, record.type, record.host, record.state, record.attempt, record.maxAttempts],
      [id, traceId, 'windows.exec', 'default', 'queued', 0, 11],
    );
    assert.deepEqual(record.input, { command: 'echo x.', shell: 'auto' });
  });

  it('counts its tries as the local engine does', () => {
    const attemptOf = (changes: object) => toRecord(run(changes)).attempt;
    assert.equal(attemptOf({ status: 'RUNNING', startedAt }), 1);
    assert.equal(attemptOf({ status: 'RUNNING' }), 1);
    assert.equal(attemptOf({ status: 'QUEUED', retryCount: 1 }), 1);
    assert.equal(attemptOf({ status: 'COMPLETED', startedAt, retryCount: 2 }), 3);
    assert.equal(attemptOf({ status: 'CANCELLED' }), 0);
    assert.equal(attemptOf({ status: 'CANCELLED', startedAt }), 1);
  });

  it('that is called failed between two tries is queued', () => {
    const errorMessage = (isTriedAgain: boolean) =>
      JSON.stringify({
        message: encodeFailure({ code: 'ssh_unreachable', message: 'no', result: { a: 1 }, isTriedAgain }),
      });
    const between = toRecord(run({ status: 'FAILED', errorMessage: errorMessage(true), startedAt }));
    assert.deepEqual([between.state, between.error, between.attempt], ['queued', undefined, 1]);
    const over = toRecord(run({ status: 'FAILED', errorMessage: errorMessage(false), startedAt, retryCount: 1 }));
    assert.deepEqual(
      [over.state, over.error, over.attempt, over.result],
      ['failed', { code: 'ssh_unreachable', message: 'no' }, 2, { a: 1 }],
    );
  });

  it('has the result of its task where the server tells it there alone', () => {
    const details = v.parse(runDetailsSchema, {
      run: { ...run({ status: 'COMPLETED' }), output: {} },
      tasks: [
        {
          actionId: 'ns_windows.exec:windows.exec',
          retryCount: 0,
          startedAt: '2026-11-24T23:50:32Z',
          output: { state: 'completed' },
        },
      ],
    });
    const record = detailsToRecord(details, 'ns');
    assert.deepEqual([record.type, record.result], ['windows.exec', { state: 'completed' }]);
  });

  it('has the year 1 for a time that is none', () => {
    const details = v.parse(runDetailsSchema, { run: { ...run({}), finishedAt: '0001-01-01T00:00:00Z' }, tasks: [] });
    assert.equal(detailsToRecord(details, '').endedAt, undefined);
  });

  describe('of which the engine tells', () => {
    const told = {
      status: 'QUEUED',
      input: envelope,
      additionalMetadata: { app: 'win-automation/', type: 'windows.exec' },
      taskRuns: {},
    };
    const known = (changes: object) => engineRunToRecord(id, v.parse(engineRunSchema, { ...told, ...changes }));
    const completed = { status: 'COMPLETED', taskRuns: { task: { output: { state: 'completed' }, error: '' } } };

    it('waits, with all that it was given', () => {
      const { jobId, state, type, attempt, maxAttempts, ...record } = known({});
      assert.deepEqual(
        [jobId, state, type, record.traceId, maxAttempts, attempt],
        [id, 'queued', 'windows.exec', traceId, 11, 0],
      );
      assert.equal(v.safeParse(engineRunSchema, { ...told, additionalMetadata: null }).success, false);
    });

    it('has its result, or its error', () => {
      const { state, result, attempt } = known(completed);
      assert.deepEqual([state, result, attempt], ['completed', { state: 'completed' }, 1]);
      const error = encodeFailure({ code: 'script_failed', message: 'it fell', result: { a: 1 }, isTriedAgain: false });
      const failed = known({ status: 'FAILED', taskRuns: { task: { error } } });
      assert.deepEqual(
        [failed.state, failed.result, failed.error],
        ['failed', { a: 1 }, { code: 'script_failed', message: 'it fell' }],
      );
    });

    it('is over where either says so, and keeps what the REST API knows of it', () => {
      const running = toRecord(run({ status: 'RUNNING', startedAt, retryCount: 2 }));
      const merged = mergeRecords(running, known(completed));
      assert.deepEqual(
        [merged?.state, merged?.result, merged?.startedAt, merged?.attempt],
        ['completed', { state: 'completed' }, new Date(startedAt), 3],
      );
      assert.equal(mergeRecords(running, known({ status: 'QUEUED' })), running);
      assert.equal(mergeRecords(running, undefined), running);
      assert.equal(mergeRecords(undefined, undefined), undefined);
    });
  });

  it('that was over at once began when it ended', () => {
    const finishedAt = new Date('2026-11-24T23:50:33Z');
    const begun = (changes: object) => toRecord(run({ finishedAt, ...changes })).startedAt;
    assert.deepEqual(begun({ status: 'COMPLETED' }), finishedAt);
    assert.deepEqual(begun({ status: 'COMPLETED', startedAt }), startedAt);
    assert.equal(begun({ status: 'CANCELLED' }), undefined);
  });

  it('that somebody else started is shown as far as it goes', () => {
    const record = toRecord(run({ input: { input: { a: 1 } } }));
    assert.deepEqual([record.input, record.host, record.traceId], [{ a: 1 }, 'default', id.replaceAll('-', '')]);
  });

  it('of a schedule has a trace of its own', () => {
    assert.equal(traceIdOf({}, traceId, id), traceId);
    assert.equal(traceIdOf({ schedule: 'nightly' }, traceId, id), id.replaceAll('-', ''));
  });
});

describe('the log of a job on Hatchet', () => {
  const said = ['ts=2026-11-24T23:50:32.500Z level=info component=jobs op=x msg=y'];
  const linesOf = (changes: object) =>
    withBeginAndEnd(toRecord(run({ startedAt, ...changes })), said, (text) => text.replace('secret', '[redacted]'));

  it('tells begin and end around what the job said', () => {
    const finishedAt = new Date('2026-11-24T23:50:33Z');
    const errorMessage = encodeFailure({ code: 'x', message: 'a secret', result: undefined, isTriedAgain: false });
    const lines = linesOf({ status: 'FAILED', finishedAt, errorMessage }).map(({ line }) => parseWords(line));
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['started', 'y', 'ended'],
    );
    assert.deepEqual([lines[0]?.['job_id'], lines[0]?.['attempt'], lines[2]?.['state']], [id, '1', 'failed']);
    assert.equal(lines[2]?.['err'], 'a [redacted]');
  });

  it('has no end while it runs, and its lines keep their numbers', () => {
    assert.deepEqual(
      linesOf({ status: 'RUNNING' }).map(({ seq }) => seq),
      [1, 2],
    );
  });
});

describe('a failure on its way through Hatchet', () => {
  it('comes back as it was, whatever it says', () => {
    const failures = fc.record({
      code: fc.string(),
      message: fc.string(),
      result: fc.jsonValue(),
      isTriedAgain: fc.boolean(),
    });
    fc.assert(
      fc.property(failures, (failure) => {
        const sent = encodeFailure(failure);
        const expected = JSON.parse(JSON.stringify(failure));
        assert.deepEqual(decodeFailure(sent), expected);
        assert.deepEqual(decodeFailure(JSON.stringify({ message: sent, stack: '' })), expected);
      }),
    );
  });

  it("of the engine's own is told in its words", () => {
    assert.equal(decodeFailure('Task exceeded timeout of 65m').code, 'timeout');
    assert.deepEqual(decodeFailure('worker was lost'), {
      code: 'job_lost',
      message: 'worker was lost',
      result: undefined,
      isTriedAgain: false,
    });
  });
});

describe('names and priorities for Hatchet', () => {
  it('take the namespace off a workflow', () => {
    assert.equal(typeOf('ns_windows.exec:windows.exec', 'ns'), 'windows.exec');
    assert.equal(typeOf('windows.exec', ''), 'windows.exec');
  });

  it('make three priorities of a hundred', () => {
    assert.deepEqual([0, 1, 49, 50, 100].map(hatchetPriority), [1, 2, 2, 3, 3]);
  });
});
