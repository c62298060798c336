import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const whyNoWine = existsSync('/usr/bin/wine') ? undefined : 'no /usr/bin/wine: install wine and wine64';
const skip = whyNoExecutable ?? whyNoSshd ?? whyNoWine ?? false;

/**
 * What Windows OpenSSH does with a command, with Wine's cmd.exe in place of Windows': Wine quotes the words of a command
 * line again, so that the line goes over in a .cmd file, where a percent sign is written twice.
 */
const forceCommand = `#!/bin/sh
export WINEDEBUG=-all
# Wine's server and services stay a while after each command. They are started apart, since they keep their output open.
wineserver -p10 </dev/null >/dev/null 2>&1
wine cmd /c ver </dev/null >/dev/null 2>&1
file=$(mktemp --suffix=.cmd)
trap 'rm -f "$file"' EXIT
printf '@%s\\r\\n' "$SSH_ORIGINAL_COMMAND" | sed 's/\\^%/%%/g' > "$file"
wine cmd /d /c "Z:$(printf %s "$file" | tr / '\\\\')"
`;

/** Prints what a program on Windows finds in its argv: Wine takes the command line apart as the C runtime does. */
const printArguments = '#!/bin/sh\nfor word in "$@"; do printf "<%s>\\n" "$word"; done\n';

suite("cmd.exe (Wine's) behind a real sshd", skip, () => {
  let sshd: TestSshd;
  let program: Executable;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'wa-cmd-'));
    chmodSync(dir, 0o755);
    for (const [name, text] of [
      ['cmd', forceCommand],
      ['argv.sh', printArguments],
    ] as const) {
      writeFileSync(join(dir, name), text);
      chmodSync(join(dir, name), 0o755);
    }
    sshd = await startSshd({ config: [`ForceCommand ${join(dir, 'cmd')}`] });
    program = installExecutable();
  });
  after(async () => {
    await sshd.stop();
    program.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const exec = (...args: string[]) =>
    program.run(['windows', 'exec', ...args], { env: { ...sshd.env, WIN_AUTOMATION_WINDOWS_SHELL: 'cmd' } });
  const said = async (command: string) => (await exec('--', command)).words['stdout'];

  it('expands variables, escapes by ^ and joins by &, && and ||', async () => {
    assert.equal(await said('echo %OS%'), 'Windows_NT\r\n');
    assert.equal(await said('echo a ^& b'), 'a & b\r\n');
    assert.equal(await said('echo one& echo two'), 'one\r\ntwo\r\n');
    assert.equal(await said('ver >nul && echo yes'), 'yes\r\n');
    assert.equal(await said('type C:\\nosuch 2>nul || echo no'), 'no\r\n');
  });

  for (const exitCode of [0, 1, 7, 255]) {
    it(`gives the exit code ${exitCode} of exit ${exitCode}`, async () => {
      const finished = await exec('--propagate-exit', '--', `exit ${exitCode}`);
      assert.equal(finished.exitCode, exitCode);
    });
  }

  it('hands every word under --quote to the program as it is', async () => {
    const words = [
      'plain',
      'a b',
      'say "hi"',
      'C:\\dir\\',
      'C:\\my dir\\',
      'a&b|c',
      '<in >out',
      '(x)',
      '^',
      '%PATH%',
      '!x!',
    ];
    const { stdout } = await exec(
      '--raw',
      '--quote',
      '--',
      `Z:${join(dir, 'argv.sh').replaceAll('/', '\\')}`,
      ...words,
    );
    assert.deepEqual(
      stdout.toString().trimEnd().split(/\r?\n/),
      words.map((word) => `<${word}>`),
    );
  });
});
