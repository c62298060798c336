import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseParameters } from '../../src/cli/job-input.ts';
import { runInput, runSettings } from '../../src/cli/windows/run-flags.ts';

describe('--param', () => {
  it('is text, true where it is a name alone, and a list where it is given again', () => {
    assert.deepEqual(parseParameters(['A=1', 'Force', 'L=a', 'L=b=c', 'L=', 'E=']), {
      A: '1',
      Force: true,
      L: ['a', 'b=c', ''],
      E: '',
    });
  });

  it('knows a name again in another case, and names of any letters', () => {
    assert.deepEqual(parseParameters(['Name=a', 'name=b', 'Größe=7']), { Name: ['a', 'b'], Größe: '7' });
  });

  for (const wrong of ['=1', '1=a', 'a b=c', 'a-b', '']) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseParameters([wrong]), /--param/);
    });
  }
});

describe('the flags of a run', () => {
  it('become the keys of an input, and only those that were given', () => {
    const settings = runSettings({ cwd: 'C:\\x', objects: true, 'error-action': 'continue' }, [
      '--env',
      'A=b=c',
      '--env=D=',
    ]);
    assert.deepEqual(JSON.parse(JSON.stringify(runInput(settings))), {
      cwd: 'C:\\x',
      env: { A: 'b=c', D: '' },
      error_action: 'continue',
      objects: true,
      depth: 2,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(runInput(runSettings({}, [])))), {});
  });

  for (const [args, given] of [
    [{ objects: true, raw: true }, []],
    [{ depth: '3' }, []],
    [{ objects: true, depth: '0' }, []],
    [{ objects: true, depth: '11' }, []],
    [{ objects: true, depth: 'x' }, []],
    [{}, ['--env', 'A']],
    [{}, ['--env', '1=a']],
    [{ 'env-file': '/nonexistent' }, []],
  ] as const) {
    it(`refuse ${JSON.stringify({ ...args, given })}`, () => {
      assert.throws(() => runSettings(args, given), { name: 'AutomationError' });
    });
  }
});
