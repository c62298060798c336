import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeGui } from '../../src/windows/gui-gate.ts';
import type { Session } from '../../src/windows/powershell/contracts.ts';

const session = (changes: Partial<Session> = {}): Session => ({
  id: 1,
  user: 'ada',
  domain: 'VM',
  station: 'Console',
  state: 'Active',
  locked: false,
  lock_known: true,
  ...changes,
});

const reasonOf = (...sessions: Session[]) => {
  const gate = judgeGui(sessions);
  return gate.state === 'open' ? 'open' : gate.reason;
};

describe('the GUI gate', () => {
  it('is open where somebody is logged on, connected and unlocked', () => assert.equal(reasonOf(session()), 'open'));
  it('is blocked by a locked desktop', () => assert.equal(reasonOf(session({ locked: true })), 'locked'));
  it('is blocked by a disconnected session', () => assert.equal(reasonOf(session({ state: 'Disc' })), 'disconnected'));
  it('is blocked where nobody is logged on', () => assert.equal(reasonOf(), 'nobody_logged_on'));
  it('takes the session that can be used, whatever the others are', () => {
    const gate = judgeGui([session({ id: 1, state: 'Disc' }), session({ id: 2, locked: true }), session({ id: 3 })]);
    assert.equal(gate.state === 'open' && gate.session.id, 3);
  });
  it('says locked rather than disconnected, where both are', () => {
    assert.equal(reasonOf(session({ state: 'Disc' }), session({ id: 2, locked: true })), 'locked');
  });
});
