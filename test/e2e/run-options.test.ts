import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { besideFolder } from '../../src/windows/run-folder.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { suite } from '../support/suite.ts';

const linesOf = (stdout: Buffer) =>
  stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

suite('how a command or a script is run', whyNoExecutable ?? whyNoLab, () => {
  const at = new LabAndProgram();
  const run = (...args: string[]) => at.run(args);
  const home = (name: string, text: string) => {
    const file = join(at.program.home, name);
    writeFileSync(file, text);
    return file;
  };

  for (const args of [
    ['exec', '--objects', '--', 'x'],
    ['exec', '--shell', 'cmd', '--objects', '--', 'x'],
    ['exec', '--shell', 'cmd', '--error-action', 'stop', '--', 'x'],
    ['exec', '--shell', 'powershell', '--objects', '--raw', '--', 'x'],
    ['exec', '--shell', 'powershell', '--depth', '3', '--', 'x'],
    ['exec', '--shell', 'powershell', '--objects', '--depth', '11', '--', 'x'],
    ['exec', '--shell', 'powershell', '--objects', '--depth', '0', '--', 'x'],
    ['exec', '--env', 'novalue', '--', 'x'],
    ['exec', '--env-file', '/nonexistent', '--', 'x'],
    ['exec', '--error-action', 'ignore', '--', 'x'],
    ['script', '/nonexistent.ps1'],
  ]) {
    it(`refuses windows ${args.join(' ')} with exit 2, before it connects`, async () => {
      const started = at.lab.started.length;
      const { exitCode, stdout } = await run('windows', ...args);
      assert.deepEqual([exitCode, stdout.length, at.lab.started.length], [2, 0, started]);
    });
  }

  it('refuses a script of another code page, and a folder beside it that is none', async () => {
    const latin = join(at.program.home, 'latin.ps1');
    writeFileSync(latin, Buffer.from([0x27, 0xe4, 0x27]));
    assert.equal((await run('windows', 'script', latin)).exitCode, 2);
    const fine = home('fine.ps1', "'x'");
    assert.equal((await run('windows', 'script', fine, '--with', fine)).exitCode, 2);
  });

  it('reads a script of UTF-16', async () => {
    const file = join(at.program.home, 'wide.ps1');
    writeFileSync(file, Buffer.from("\uFEFFWrite-Output 'größe'\n", 'utf16le'));
    assert.equal((await run('windows', 'script', file)).words['stdout'], 'größe\r\n');
  });

  it('gives objects as lines of JSON, the last of which says how it ended', async () => {
    const { stdout, exitCode } = await run('windows', 'exec', '--shell', 'powershell', '--objects', '--', "'a'; 'b'");
    const [a, b, end, ...more] = linesOf(stdout);
    assert.equal(exitCode, 0);
    assert.deepEqual(a, { stream: 'output', type: 'System.String', value: 'a' });
    assert.deepEqual(b.value, 'b');
    assert.equal(typeof end.duration_ms, 'number');
    assert.deepEqual({ ...end, duration_ms: 0 }, { stream: 'end', state: 'completed', exit_code: 0, duration_ms: 0 });
    assert.deepEqual(more, []);
  });

  it('says the host in each line where there are many', async () => {
    const args = ['windows', 'exec', '--all-hosts', '--shell', 'powershell', '--objects', '--', "'a'"];
    const { stdout } = await run(...args);
    assert.deepEqual(
      linesOf(stdout).map(({ host, stream }) => [host, stream]),
      [
        ['default', 'output'],
        ['default', 'end'],
      ],
    );
  });

  it('puts objects into the payload with --json', async () => {
    const { stdout } = await run('windows', 'exec', '--json', '--shell', 'powershell', '--objects', '--', "'a'");
    const { state, objects, truncated } = JSON.parse(stdout.toString());
    assert.deepEqual([state, objects.length, objects[0].value, truncated], ['completed', 1, 'a', false]);
  });

  it('keeps the objects of a job in its artifacts and its result', async () => {
    const args = ['windows', 'exec', '--artifacts', '--shell', 'powershell', '--objects', '--', "'a'; 'b'"];
    const { stdout, exitCode } = await run(...args);
    const lines = linesOf(stdout);
    const end = lines.at(-1);
    assert.deepEqual([exitCode, lines.length, end.stream, end.state], [0, 3, 'end', 'completed']);
    const dir = join(at.program.home, 'artifacts', end.job_id);
    assert.deepEqual(linesOf(readFileSync(join(dir, 'ssh/stdout.txt'))), lines.slice(0, 2));
    const { result } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    assert.deepEqual([result.objects, result.truncated], [lines.slice(0, 2), false]);
  });

  it('hands a secret file of variables to the command alone', async () => {
    const secrets = home('secrets.env', '# for the test\nTOKEN="canary of a secret"\n');
    const args = ['windows', 'exec', '--shell', 'powershell', '--env-file', secrets, '--env', 'A=plain'];
    const printed = await run(...args, '--', 'Write-Output "$env:A and $env:TOKEN"');
    assert.deepEqual([printed.exitCode, printed.words['stdout']], [0, 'plain and canary of a secret\r\n']);
    const kept = await run(...args, '--artifacts', '--', 'Write-Output "$env:A"');
    assert.deepEqual([kept.exitCode, kept.words['stdout']], [0, 'plain\r\n']);
    const manifest = readFileSync(
      join(at.program.home, 'artifacts', kept.words['job_id'] ?? '', 'manifest.json'),
      'utf8',
    );
    assert.match(manifest, /"A": "plain"/);
    assert.doesNotMatch(`${manifest}${kept.stderr}${printed.stderr}${at.lab.started.join('\n')}`, /canary/);
  });

  it('takes every character of a secret file as it stands, without the quotes around a value', async () => {
    const values = ['pa#ss"w', '`a`b', ' spaced ', 'a=b', "it's", ''];
    const lines = [...values.map((value, i) => `V${i}=${value}`), 'Q="quoted # $x"', '# a comment', ''];
    const names = [...values.keys()].map((i) => `V${i}`);
    const command = [...names, 'Q'].map((name) => `Write-Output "<$env:${name}>"`).join('; ');
    const flags = ['--shell', 'powershell', '--env-file', home('every.env', lines.join('\r\n'))];
    const { words } = await run('windows', 'exec', ...flags, '--', command);
    const wanted = [...values, 'quoted # $x'].map((value) => `<${value}>\r\n`).join('');
    assert.equal(words['stdout'], wanted);
  });

  it('names the lines of a secret file that are none, and no value', async () => {
    const file = home('wrong.env', 'A=1\nno value canary\nB C=canary\n');
    const { exitCode, stderr } = await run('windows', 'exec', '--env-file', file, '--', 'x');
    assert.equal(exitCode, 2);
    assert.match(stderr, /wrong\.env:2[\s\S]*wrong\.env:3/);
    assert.doesNotMatch(stderr, /canary/);
  });

  for (const [type, args] of [
    ['windows.exec', ['--input', '{"command":"x"}', '--cwd', 'C:\\']],
    ['windows.exec', ['--input', '{"command":"x"}', '--', 'hostname']],
    ['windows.exec', ['--with', '.', '--', 'hostname']],
    ['windows.script', ['--file', 'fine.ps1', '--url', 'http://localhost']],
    ['artifacts.gc', ['--env', 'A=1']],
    ['windows.exec', ['--input', '{"command":"x","shell":"cmd","objects":true}']],
    ['windows.exec', ['--input', '{"command":"x","cwd":"a\\u0000b"}']],
    ['windows.exec', ['--input', '{"command":"x","env":{"A B":"1"}}']],
    ['windows.script', ['--input', '{"script":"1","with":[{"path":"a","base64":""},{"path":"A/b","base64":""}]}']],
    ['windows.script', ['--input', '{"script":"1","with":[{"path":"../a","base64":""}]}']],
    ['windows.script', ['--input', '{"script":"1","with":[{"path":"con.txt","base64":""}]}']],
  ] as const) {
    it(`refuses jobs enqueue --type ${type} ${args.join(' ')}`, async () => {
      const { exitCode, stdout } = await run('jobs', 'enqueue', '--type', type, ...args);
      assert.deepEqual([exitCode, stdout.length], [2, 0]);
    });
  }

  it('follows links of a folder beside a script, and refuses one that goes round in circles', async () => {
    const dir = join(at.program.home, 'links');
    mkdirSync(dir);
    writeFileSync(join(at.program.home, 'target.txt'), 'linked');
    symlinkSync('../target.txt', join(dir, 'link.txt'));
    assert.deepEqual(await besideFolder(dir, 'links'), [
      { path: 'links/link.txt', content: { file: join(dir, 'link.txt') } },
    ]);
    symlinkSync('.', join(dir, 'loop'));
    const { exitCode, stderr } = await run('windows', 'script', home('links.ps1', "'x'"), '--with', dir);
    assert.equal(exitCode, 2);
    assert.match(stderr, /loop: it is a link to a folder that it is in/);
  });

  it('removes what it brought beside a script', async () => {
    const lib = join(at.program.home, 'lib');
    mkdirSync(join(lib, 'deep'), { recursive: true });
    writeFileSync(join(lib, 'deep', 'data.txt'), 'data');
    const { words } = await run('windows', 'script', home('with.ps1', "'done'"), '--with', lib, '--timeout', '20s');
    assert.equal(words['stdout'], 'done\r\n');
    assert.deepEqual(
      readdirSync(at.lab.state.homeDir).filter((entry) => entry.startsWith('.win-automation')),
      [],
    );
  });

  it('refuses a job of objects in a shell that is not PowerShell, before it is enqueued', async () => {
    const { exitCode, stderr } = await run('jobs', 'enqueue', '--type', 'windows.exec', '--objects', '--', 'x');
    assert.equal(exitCode, 2);
    assert.match(stderr, /--objects needs PowerShell/);
  });

  it('refuses a job with more than 1 MiB beside its script', async () => {
    const big = join(at.program.home, 'big');
    mkdirSync(big);
    writeFileSync(join(big, 'file'), Buffer.alloc(1024 * 1024 + 1));
    const file = home('big.ps1', "'x'");
    const { exitCode, stderr } = await run(
      'jobs',
      'enqueue',
      '--type',
      'windows.script',
      '--file',
      file,
      '--with',
      big,
    );
    assert.equal(exitCode, 2);
    assert.match(stderr, /1 MiB/);
  });
});
