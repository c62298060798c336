import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onWinehost, whyNoWinehostSuites } from '../support/on-winehost.ts';
import { suite } from '../support/suite.ts';
import type { WinehostShell } from '../support/winehost.ts';

suite('windows exec in cmd.exe on the nearly-Windows host', whyNoWinehostSuites, () => {
  const { run, payload } = onWinehost(() => ({ shell: 'cmd' }));
  const exec = (...args: string[]) => payload('exec', args);

  for (const [what, command, stdout] of [
    ['quotes', 'echo "a  b" c', '"a  b" c\r\n'],
    ['variables', 'echo %OS% %NOSUCH%', 'Windows_NT %NOSUCH%\r\n'],
    ['carets', 'echo a ^& b ^| c ^^', 'a & b | c ^\r\n'],
    [
      '&, && and ||',
      'echo one& echo two&& echo three& dir C:\\nosuch >nul 2>nul|| echo four',
      'one\r\ntwo\r\nthree\r\nfour\r\n',
    ],
    ['redirection', 'echo kept>C:\\kept.txt& type C:\\kept.txt', 'kept\r\n'],
  ] as const) {
    it(`leaves ${what} to cmd.exe`, async () => {
      assert.equal((await exec('--', command)).stdout.text, stdout);
    });
  }

  for (const exitCode of [0, 1, 5, 255]) {
    it(`gives the exit code ${exitCode}`, async () => {
      assert.equal((await exec('--', `exit ${exitCode}`)).exit_code, exitCode);
    });
  }

  it('keeps the two streams apart', async () => {
    const { stdout, stderr } = await exec('--', 'echo out& echo err 1>&2');
    assert.deepEqual([stdout.text, stderr.text], ['out\r\n', 'err \r\n']);
  });

  it("decodes text in the console's code page, and says which", async () => {
    const { stdout } = await exec('--', 'echo Größe');
    assert.deepEqual([stdout.text, stdout.encoding, stdout.size_bytes], ['Größe\r\n', 'ibm437', 7]);
  });

  it('never decodes under --raw', async () => {
    const { stdout } = await run(['windows', 'exec', '--raw', '--', 'echo Größe']);
    assert.deepEqual([...stdout], [0x47, 0x72, 0x94, 0xe1, 0x65, 0x0d, 0x0a]);
  });

  it('forwards standard input under --stdin', async () => {
    const { stdout } = await run(['windows', 'exec', '--raw', '--stdin', '--', 'sort'], { input: 'b\r\na\r\n' });
    assert.equal(stdout.toString(), 'a\r\nb\r\n');
  });

  it('starts in the folder of --cwd, with the variables of --env as they are', async () => {
    const { stdout } = await exec(
      '--cwd',
      'C:\\windows',
      '--env',
      'WA_A=x & y %OS% ^',
      '--env',
      'WA_B=ü',
      '--',
      'cd& set WA_',
    );
    assert.equal(stdout.text, 'C:\\windows\r\nWA_A=x & y %OS% ^\r\nWA_B=ü\r\n');
  });
});

/** What must be the same whatever shell sshd starts: the command, its shell, and how it ends. */
const sameEverywhere = [
  {
    what: 'objects are a table',
    shell: 'powershell',
    command: "[pscustomobject]@{ Name = 'ü'; Count = 3 }",
    exitCode: 0,
    stdout: /^\r\nName Count\r\n-+ +-+\r\nü {8}3\r\n/,
    stderr: /^$/,
  },
  {
    what: "a program's two streams and exit code are its own",
    shell: 'powershell',
    command: 'cmd /c "echo out& echo err>&2& exit 7"',
    exitCode: 7,
    stdout: /^out\r\n$/,
    stderr: /^err\r\n$/,
  },
  {
    what: 'throw ends it with 1 and its words on standard error, without colour',
    shell: 'pwsh',
    command: "'before'; throw 'boom'",
    exitCode: 1,
    stdout: /^before\r\n$/,
    stderr: /^Exception: boom\r?\n$/,
  },
  {
    what: 'Write-Error stops it',
    shell: 'powershell',
    command: "Write-Error 'bad'; 'after'",
    exitCode: 1,
    stdout: /^$/,
    stderr: /^Write-Error: bad\r?\n$/,
  },
  {
    what: 'exit gives its code, and nothing that was printed is lost',
    shell: 'pwsh',
    command: "'printed'; exit 5",
    exitCode: 5,
    stdout: /^printed\r\n$/,
    stderr: /^$/,
  },
  {
    what: 'quotes, dollars, percent signs and unicode arrive as they are',
    shell: 'powershell',
    command: `"a  'b' \`"c\`" $(1 + 1) %OS% ^ & ℃ 😀"`,
    exitCode: 0,
    stdout: /^a {2}'b' "c" 2 %OS% \^ & ℃ 😀\r\n$/,
    stderr: /^$/,
  },
  {
    what: 'cmd.exe reads its line as it is',
    shell: 'cmd',
    command: 'echo "a  b" %OS% ^& & exit 4',
    exitCode: 4,
    stdout: /^"a {2}b" Windows_NT & \r\n$/,
    stderr: /^$/,
  },
] as const;

for (const shell of ['cmd', 'powershell', 'pwsh'] satisfies WinehostShell[]) {
  suite(`windows exec --shell where DefaultShell is ${shell}`, whyNoWinehostSuites, () => {
    const { payload } = onWinehost(() => ({ shell }));
    // pwsh is started as powershell is: what differs is in these.
    const cases = shell === 'pwsh' ? sameEverywhere.slice(0, 3) : sameEverywhere;
    for (const one of cases) {
      it(`${one.shell}: ${one.what}`, async () => {
        const { exit_code, stdout, stderr } = await payload('exec', ['--shell', one.shell, '--', one.command]);
        assert.match(stdout.text, one.stdout);
        assert.match(stderr.text, one.stderr);
        assert.equal(exit_code, one.exitCode);
      });
    }

    if (shell !== 'cmd') {
      it("without --shell runs in sshd's own PowerShell", async () => {
        const { stdout, exit_code } = await payload('exec', ['--', '"$($PSVersionTable.PSEdition) $(2 * 21)"; exit 6']);
        assert.deepEqual([stdout.text, exit_code], ['Core 42\r\n', 6]);
      });
    }
  });
}
