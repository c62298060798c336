import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { limited, type Outcome, SideBySide, type SideBySideCase } from '../support/side-by-side.ts';
import { cases } from '../support/side-by-side-cases.ts';
import { differences } from '../support/side-by-side-differences.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? pwsh.whyNot ?? false;

suite('PowerShell run by us and by its user', skip, () => {
  let side: SideBySide;
  const outcomes = new Map<SideBySideCase, Promise<{ ours: Outcome; users: Outcome }>>();
  before(async () => {
    side = await SideBySide.start();
    const atMostTwo = limited(2);
    for (const one of cases) {
      const outcome = atMostTwo(async () => {
        const file = side.write(one);
        return { users: await side.byUser(one, file), ours: await side.byUs(one, file) };
      });
      // Whoever asks for it is told.
      outcome.catch(() => undefined);
      outcomes.set(one, outcome);
    }
  });
  after(() => side.stop());

  for (const one of cases) {
    it(`${one.title}: ${one.differs === undefined ? 'the same' : `differs as meant (${one.differs.id})`}`, async () => {
      const both = await outcomes.get(one);
      assert.ok(both !== undefined);
      const { id: _, ...meant } = one.differs ?? {};
      assert.deepEqual(both.ours, { ...both.users, ...meant });
      if (one.differs !== undefined) assert.notDeepEqual(both.ours, both.users, 'it does not differ any more');
    });
  }

  it('lists no difference that no case shows', () => {
    const shown = new Set(cases.flatMap((one) => (one.differs === undefined ? [] : [one.differs.id])));
    assert.deepEqual([...shown].sort(), Object.keys(differences).sort());
  });
});
