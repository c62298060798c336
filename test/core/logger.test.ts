import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLogger, encodeLogLine, type LogLevel } from '../../src/core/logger.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { parseWords } from '../support/words.ts';

const date = new Date('2026-01-02T03:04:05.678Z');
const nothing = (text: string) => text;

function collect(level: LogLevel, secrets: string[] = []) {
  const lines: string[] = [];
  const redact = createRedactor(secrets);
  const logger = createLogger({ level, redact, write: (line) => lines.push(line), component: 'test', now: () => date });
  return { lines, logger };
}

describe('log lines', () => {
  it('begin with ts, level, component, op and msg in that order', () => {
    const { lines, logger } = collect('info');
    logger.info('connect', 'it works', { ssh_host: 'vm', attempt: 2 });
    assert.deepEqual(lines, [
      'ts=2026-01-02T03:04:05.678Z level=info component=test op=connect msg="it works" ssh_host=vm attempt=2\n',
    ]);
  });

  it('hold back what is below the level', () => {
    const { lines, logger } = collect('warn');
    logger.debug('o', 'd');
    logger.info('o', 'i');
    logger.warn('o', 'w');
    logger.error('o', 'e');
    assert.deepEqual(
      lines.map((line) => parseWords(line.trimEnd())['level']),
      ['warn', 'error'],
    );
  });

  it('are written each time, however often the same event comes', () => {
    const { lines, logger } = collect('info');
    for (let i = 0; i < 50; i += 1) logger.info('o', 'same');
    assert.equal(lines.length, 50);
  });

  it('keep the fields of the child they come from, and its component', () => {
    const { lines, logger } = collect('info');
    logger.child('windows', { job_id: 'j1' }).info('o', 'm', { a: 1 });
    assert.match(lines[0] ?? '', /component=windows op=o msg=m job_id=j1 a=1\n$/);
  });

  it('never let a field take the place of a required key', () => {
    const event = {
      date,
      level: 'info',
      component: 'c',
      op: 'o',
      msg: 'm',
      fields: { level: 'error', ts: 'x' },
    } as const;
    assert.equal(encodeLogLine(event, nothing), 'ts=2026-01-02T03:04:05.678Z level=info component=c op=o msg=m');
  });

  it('give back any message and any value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (msg, value) => {
        const line = encodeLogLine({ date, level: 'info', component: 'c', op: 'o', msg, fields: { value } }, nothing);
        assert.match(line, /^[ -~]+$/);
        assert.deepEqual(parseWords(line), {
          ts: date.toISOString(),
          level: 'info',
          component: 'c',
          op: 'o',
          msg,
          value,
        });
      }),
    );
  });

  it('never hold a secret, wherever it stands, in any form', () => {
    const secretText = fc.string({ unit: 'binary', minLength: 8, maxLength: 40 });
    const around = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(secretText, around, around, (secret, before, after) => {
        const { lines, logger } = collect('info', [secret]);
        const inJson = JSON.stringify({ secret });
        const inUrl = secret.isWellFormed() ? `ws://h/${encodeURIComponent(secret)}` : '';
        logger.info('o', before + secret + after, { err: secret, json: inJson, url: inUrl });
        const read = Object.values(parseWords(lines.join('').trimEnd())).join('\n');
        for (const form of [
          secret,
          JSON.stringify(secret).slice(1, -1),
          ...(inUrl ? [encodeURIComponent(secret)] : []),
        ]) {
          assert.ok(!lines.join('').includes(form), 'the line holds it');
          assert.ok(!read.includes(form), 'a value holds it');
        }
      }),
    );
  });

  it('redact the longer of two secrets of which one begins the other', () => {
    const { lines, logger } = collect('info', ['token-abc', 'token-abc-def']);
    logger.info('o', 'it is token-abc-def');
    assert.match(lines[0] ?? '', /msg="it is \[redacted\]"\n$/);
  });
});
