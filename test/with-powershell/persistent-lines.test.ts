import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { speakPersistent } from '../support/persistent.ts';
import { suite } from '../support/suite.ts';

const timeout = 30_000;
const word = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const textOf = (line: string) => Buffer.from(line.split(' ').at(-1) ?? '', 'base64').toString('utf8');

suite('a line that the PowerShell that stays can not take', pwsh.whyNot, () => {
  let speaker: Awaited<ReturnType<typeof speakPersistent>>;
  before(
    async () => {
      speaker = await speakPersistent();
    },
    { timeout },
  );
  after(() => speaker.close(), { timeout });

  for (const [what, line, answer] of [
    ['an unknown operation', 'walk 1', /^broken /],
    ['an empty line', '', /^broken /],
    ['text of another protocol', '{"id": 1, "op": "run"}', /^broken /],
    ['a request without its script', 'run 7', /^broken /],
    ['an id that is no number', `run x ${word('1')} -`, /^broken /],
    ['a script that is no base64', 'run 8 %%% -', /^done 8 failed /],
    ['an argument that is no base64', `run 9 ${word('1')} ab=c`, /^done 9 failed /],
    ['a script that does not parse', `run 10 ${word('if (')} -`, /^done 10 failed /],
  ] as const) {
    it(`is answered and survived: ${what}`, { timeout }, async () => {
      speaker.say(`${line}\n`);
      assert.match(await speaker.next(), answer);
      speaker.say(`run 99 ${word("'next'")} -\n`);
      assert.deepEqual([await speaker.next(), await speaker.next()], [`out 99 ${word('next')}`, 'done 99 ok -']);
    });
  }

  it('is answered where it uses an id again, and the first one goes on', { timeout }, async () => {
    speaker.say(`run 20 ${word("Start-Sleep -Milliseconds 400; 'first'")} -\nrun 20 ${word("'second'")} -\n`);
    const [broken, out, done] = [await speaker.next(), await speaker.next(), await speaker.next()];
    assert.equal(textOf(broken), 'the id 20 is in use');
    assert.deepEqual([out, done], [`out 20 ${word('first')}`, 'done 20 ok -']);
  });

  it('is not missed where a cancel for nothing comes before it', { timeout }, async () => {
    speaker.say(`cancel 4711\nrun 21 ${word('1')} -\n`);
    assert.deepEqual([await speaker.next(), await speaker.next()], [`out 21 ${word('1')}`, 'done 21 ok -']);
  });

  it('never runs a script whose cancel came along with it', { timeout }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wa-persistent-'));
    const file = join(dir, 'ran');
    speaker.say(`run 22 ${word(`New-Item -Path '${file}'`)} -\ncancel 22\n`);
    assert.equal(await speaker.next(), 'done 22 cancelled -');
    speaker.say(`run 23 ${word('Start-Sleep -Milliseconds 200')} -\n`);
    assert.equal(await speaker.next(), 'done 23 ok -');
    assert.equal(existsSync(file), false);
    rmSync(dir, { recursive: true });
  });
});
