import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { onWinehost, whyNoWinehostSuites } from '../support/on-winehost.ts';
import { suite } from '../support/suite.ts';

suite('windows put and get on the nearly-Windows host', whyNoWinehostSuites, () => {
  const { run, home, host } = onWinehost(() => ({ shell: 'cmd' }));

  it('carry a file to a path with spaces and unicode and back, verified on both sides', async () => {
    const bytes = randomBytes(300_001);
    writeFileSync(join(home(), 'from'), bytes);
    mkdirSync(join(host().driveC, 'my dir'));
    const put = await run(['windows', 'put', '--verify', join(home(), 'from'), 'C:\\my dir\\größe ℃.bin']);
    assert.deepEqual([put.exitCode, put.words['verified']], [0, 'sha256'], put.stderr);
    assert.deepEqual(readFileSync(join(host().driveC, 'my dir/größe ℃.bin')), bytes);
    const get = await run(['windows', 'get', '--verify', 'C:\\my dir\\größe ℃.bin', join(home(), 'back')]);
    assert.deepEqual([get.exitCode, get.words['verified']], [0, 'sha256'], get.stderr);
    assert.deepEqual(readFileSync(join(home(), 'back')), bytes);
  });

  it('carry a folder with all that is in it there and back', async () => {
    const from = join(home(), 'tree');
    mkdirSync(join(from, 'größe'), { recursive: true });
    writeFileSync(join(from, 'größe', 'a b.txt'), 'a b');
    writeFileSync(join(from, 'empty'), '');
    const put = await run(['windows', 'put', '--recursive', '--verify', from, 'C:\\tree ü']);
    assert.equal(put.exitCode, 0, put.stderr);
    const get = await run(['windows', 'get', '--recursive', '--verify', 'C:/tree ü', join(home(), 'tree back')]);
    assert.equal(get.exitCode, 0, get.stderr);
    const names = (dir: string) => readdirSync(dir, { recursive: true }).sort();
    assert.deepEqual(names(join(home(), 'tree back')), names(from));
    assert.equal(readFileSync(join(home(), 'tree back', 'größe', 'a b.txt'), 'utf8'), 'a b');
  });

  it('carry folders that are empty as well', async () => {
    mkdirSync(join(home(), 'hollow', 'leer'), { recursive: true });
    await run(['windows', 'put', '--recursive', join(home(), 'hollow'), 'C:\\hollow']);
    const there = existsSync(join(host().driveC, 'hollow', 'leer'));
    await run(['windows', 'get', '--recursive', 'C:\\hollow', join(home(), 'hollow back')]);
    assert.deepEqual([there, existsSync(join(home(), 'hollow back', 'leer'))], [true, true]);
  });

  it('take a relative path from the home folder, where commands start as well', async () => {
    writeFileSync(join(home(), 'here'), 'from here');
    assert.equal((await run(['windows', 'put', join(home(), 'here'), 'there.txt'])).exitCode, 0);
    const { stdout } = await run(['windows', 'exec', '--raw', '--', 'type there.txt']);
    assert.equal(stdout.toString(), 'from here');
  });

  it('say that a file is not there, by its name on Windows', async () => {
    const { exitCode, stderr } = await run(['windows', 'get', 'C:\\no such.txt', join(home(), 'x')]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /no such\.txt/);
  });

  it('artifacts of a job are mirrored to Windows, and fetched from there', async () => {
    const env = {
      WIN_AUTOMATION_ARTIFACT_OUT: join(home(), 'artifacts'),
      WIN_AUTOMATION_ARTIFACT_MIRROR_TO_WINDOWS: 'true',
    };
    const job = await run(['windows', 'exec', '--artifacts', '--', 'echo Größe'], { env });
    const id = job.words['job_id'] ?? '';
    const there = join(host().driveC, 'ProgramData/win-automation/artifacts', id);
    assert.equal(existsSync(join(there, 'manifest.json')), true, job.stderr);
    rmSync(join(home(), 'artifacts', id), { recursive: true });
    const fetched = await run(['artifacts', 'fetch', '--job', id, '--out', join(home(), 'fetched')], { env });
    assert.deepEqual([fetched.exitCode, fetched.words['from']], [0, 'windows'], fetched.stderr);
    const stdout = readdirSync(join(home(), 'fetched'), { recursive: true }).find((name) =>
      `${name}`.endsWith('stdout.txt'),
    );
    assert.equal(readFileSync(join(home(), 'fetched', `${stdout}`), 'latin1').startsWith('Gr'), true);
  });
});

/** Makes what `windows status` tells: a program of Windows on a port, started as a task, and a rule that blocks that port. */
const machine = `param([int]$Port)
$listen = "\`$l = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Parse('127.0.0.9'), $Port); \`$l.Start(); Start-Sleep -Seconds 600"
$action = New-ScheduledTaskAction -Execute 'pwsh.exe' -Argument ('-NoProfile -Command "{0}"' -f $listen)
$principal = New-ScheduledTaskPrincipal -UserId 'SYSTEM' -LogonType ServiceAccount
$null = Register-ScheduledTask -TaskName 'WinAutomation-Playwright' -Action $action -Principal $principal
Start-ScheduledTask -TaskName 'WinAutomation-Playwright'
$range = '{0}-{1}' -f ($Port - 5), ($Port + 5)
$null = New-NetFirewallRule -DisplayName 'Corporate' -Direction Inbound -Action Block -Protocol TCP -LocalPort $range
$until = [DateTime]::UtcNow.AddSeconds(30)
while (-not (Get-NetTCPConnection -State Listen -LocalPort $Port -ErrorAction SilentlyContinue)) {
    if ([DateTime]::UtcNow -gt $until) { throw 'nobody listens' }
    Start-Sleep -Milliseconds 200
}
`;

/** One of the ports that `windows status` tells of. On an address that nobody else takes. */
const port = 9323;

suite('windows status on the nearly-Windows host', whyNoWinehostSuites, () => {
  const { run, payload, home } = onWinehost(() => ({ shell: 'powershell', hasTasks: true }));

  it('tells who listens, what blocks the port and that the task runs, by one PowerShell', async () => {
    const file = join(home(), 'machine.ps1');
    writeFileSync(file, machine);
    const made = await payload('script', ['--param', `Port=${port}`, file]);
    assert.equal(made.exit_code, 0, made.stderr.text);
    const { stdout, stderr } = await run(['windows', 'status', '--json']);
    const { facts, ports, firewall, tasks } = JSON.parse(stdout.toString());
    const here = <T extends { port: number }>(all: readonly T[]) => all.find((one) => one.port === port);
    const { listening, address, process } =
      here<{ port: number; listening: boolean; address: string; process: string }>(ports) ?? {};
    const rule = here<{ port: number; allows: boolean; blocked_by: string[] }>(firewall);
    const task = (tasks as { name: string; state: string }[]).find(({ name }) => name === 'WinAutomation-Playwright');
    assert.deepEqual(
      {
        os: facts.os_caption,
        listener: [listening, address, process],
        rule: [rule?.allows, rule?.blocked_by],
        task: task?.state,
      },
      {
        os: 'Windows 10 Pro',
        listener: [true, '127.0.0.9', 'pwsh.exe'],
        rule: [false, ['Corporate']],
        task: 'Running',
      },
      stderr,
    );
  });
});
