import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { SideBySide } from '../support/side-by-side.ts';
import { cases } from '../support/side-by-side-cases.ts';
import { differences } from '../support/side-by-side-differences.ts';
import { SideBySideRuns } from '../support/side-by-side-runs.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? pwsh.whyNot ?? false;

suite('PowerShell run by us and by its user', skip, () => {
  let side: SideBySide;
  let runs: SideBySideRuns;
  before(async () => {
    side = await SideBySide.start();
    runs = new SideBySideRuns(side, cases);
  });
  after(() => side.stop());

  for (const one of cases) {
    it(`${one.title}: ${one.differs === undefined ? 'the same' : `differs as meant (${one.differs.id})`}`, async () => {
      const { users, ours } = await runs.of(one);
      const { id: _, ...meant } = one.differs ?? {};
      assert.deepEqual(ours, { ...users, ...meant });
      if (one.differs !== undefined) assert.notDeepEqual(ours, users, 'it does not differ any more');
    });
  }

  for (const [title, text] of [
    ['a table with unicode', "[pscustomobject]@{ a = 'ü 漢字'; b = '\u{1f600}' }; 'text'"],
    ['errors and warnings', "Write-Warning 'w'; Get-Item -LiteralPath /nowhere; 'after'"],
    ['a program with both streams', "sh -c 'echo out; echo err >&2'; 'after'"],
    ['exit', "'a'; exit 3"],
    ['throw', "'a'; throw 'gone'"],
  ] as const) {
    it(`${title}: the same in a payload`, async () => {
      const one = { title, kind: 'command', text } as const;
      const [users, ours] = await Promise.all([side.byUser(one, ''), side.byPayload(text)]);
      assert.deepEqual(ours, users);
    });
  }

  it('lists no difference that no case shows', () => {
    const shown = new Set(cases.flatMap((one) => (one.differs === undefined ? [] : [one.differs.id])));
    assert.deepEqual([...shown].sort(), Object.keys(differences).sort());
  });
});
