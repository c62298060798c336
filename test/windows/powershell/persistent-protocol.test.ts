import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { maxCommandLine, warmCommandLine, warmFirstLine } from '../../../src/windows/powershell/command-line.ts';
import {
  answerLine,
  type PersistentAnswer,
  type PersistentRequest,
  parseAnswer,
  parseRequest,
  requestLine,
} from '../../../src/windows/powershell/persistent-protocol.ts';
import { grammarFaults } from '../../support/powershell-grammar.ts';

const id = fc.integer({ min: 1 });
const text = fc.string({ unit: 'grapheme' }).filter((value) => value.isWellFormed());
const base64 = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(model, { noNullPrototype: true });

const requests: fc.Arbitrary<PersistentRequest> = fc.oneof(
  record({ op: fc.constant('run' as const), id, script: text, argument: base64 }),
  record({ op: fc.constant('cancel' as const), id }),
  fc.constant({ op: 'exit' as const }),
);

const answers: fc.Arbitrary<PersistentAnswer> = fc.oneof(
  record({ kind: fc.constant('ready' as const), pid: id }),
  record({ kind: fc.constant('out' as const), id, bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes)) }),
  record({
    kind: fc.constant('done' as const),
    id,
    state: fc.constantFrom('ok', 'failed', 'cancelled', 'left'),
    text,
  }),
  record({ kind: fc.constant('broken' as const), text }),
);

describe('the lines of the PowerShell that stays', () => {
  it('give back any request', () => {
    fc.assert(fc.property(requests, (request) => assert.deepEqual(parseRequest(requestLine(request)), request)));
  });

  it('give back any answer', () => {
    fc.assert(fc.property(answers, (answer) => assert.deepEqual(parseAnswer(answerLine(answer)), answer)));
  });

  for (const line of [
    '',
    'hello',
    'ready',
    'ready x',
    'ready 0',
    'ready 1 2',
    'out 1',
    'out 1 a',
    'out 1 ab=c',
    'out -1 YWE=',
    'done 1 maybe -',
    'done 1 ok',
    'done 99999999999999999 ok -',
    'broken ä',
  ]) {
    it(`refuse ${JSON.stringify(line)}`, () => assert.equal(parseAnswer(line), undefined));
  }
});

describe('the command line of the PowerShell that stays', () => {
  it('is safe in any shell, prints text, and is bound by no policy', () => {
    assert.match(
      warmCommandLine,
      /^powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -EncodedCommand [A-Za-z0-9+/=]+$/,
    );
  });

  it('is short: what it runs comes on standard input', () => {
    assert.ok(warmCommandLine.length < maxCommandLine / 4, `${warmCommandLine.length} characters`);
  });

  it('does not say $input: PowerShell would read standard input itself', () => {
    const loader = Buffer.from(warmCommandLine.split(' ').at(-1) ?? '', 'base64').toString('utf16le');
    assert.doesNotMatch(loader, /\$input\b/i);
  });

  it('takes a text that parses as one', async () => {
    assert.deepEqual(await grammarFaults(Buffer.from(warmFirstLine, 'base64').toString('utf8')), []);
  });
});
