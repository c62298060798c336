import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkArguments, resolveCommand } from '../../src/cli/arguments.ts';
import { program } from '../../src/cli/program.ts';

const resolve = async (...argv: string[]) => {
  const resolved = await resolveCommand(program, argv);
  checkArguments(resolved);
  return resolved;
};

const problem = async (...argv: string[]): Promise<string> => {
  const error = await resolve(...argv).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Error, 'was to be refused');
  assert.equal('code' in error && error.code, 'usage');
  return error.message;
};

describe('the command line', () => {
  it('takes global flags before and after the command', async () => {
    const before = await resolve('--json', '--config', 'f', 'windows', '--host=a', 'exec', '--', 'x');
    assert.deepEqual(before.path, ['win-automation', 'windows', 'exec']);
    assert.deepEqual(before.args, ['--json', '--config', 'f', '--host=a']);
    assert.deepEqual((await resolve('windows', 'exec', '--json', '--', 'x')).args, ['--json']);
  });

  it('leaves everything behind -- alone', async () => {
    const { words } = await resolve('windows', 'exec', '--', 'cmd', '--json', '--', '-x');
    assert.deepEqual(words, ['cmd', '--json', '--', '-x']);
  });

  for (const [argv, message] of [
    [['windos'], 'win-automation: unknown command windos (did you mean windows?)'],
    [['windows', 'exce'], 'win-automation windows: unknown command exce (did you mean exec?)'],
    [['windows', 'exec', '--tiemout', '3s'], 'unknown flag --tiemout (did you mean --timeout?)'],
    [['--jsno', 'doctor'], 'unknown flag --jsno (did you mean --json?)'],
    [['windows', 'exec', '--timeout'], '--timeout needs a value'],
    [['windows', 'exec', '--timeout', '--raw'], '--timeout needs a value (if it is --raw, write --timeout=--raw)'],
    [['windows', 'exec', '--raw=yes'], '--raw takes no value'],
    [['windows', 'exec', 'dir'], 'unexpected word "dir" (did you mean win-automation windows exec -- dir?)'],
    [['doctor', 'x'], 'unexpected word "x"'],
    [['doctor', '--', 'x'], 'nothing may stand behind --'],
    [['constructor'], 'win-automation: unknown command constructor'],
  ] as const) {
    it(`refuses ${argv.join(' ')}`, async () => assert.equal(await problem(...argv), message));
  }

  it('lists every problem at once', async () => {
    assert.equal(await problem('windows', 'exec', '--x1', '--raw=1'), 'unknown flag --x1; --raw takes no value');
  });
});
