import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { onWinehost, whyNoWinehostSuites } from '../support/on-winehost.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';
import type { WinehostShell } from '../support/winehost.ts';

/** Starting a PowerShell and its grandchild, on a machine that is busy. */
const startMs = 30_000;

for (const shell of ['cmd', 'powershell'] satisfies WinehostShell[]) {
  suite(`a run that is stopped where DefaultShell is ${shell}`, whyNoWinehostSuites, () => {
    const { run, host, home } = onWinehost(() => ({ shell }));
    let seconds = 300;
    /** A count of pings that only one run of these tests has. */
    const next = () => {
      seconds += 1;
      return seconds;
    };
    const pings = (count: number) =>
      host()
        .programs()
        .filter((line) => line.includes(`-n ${count} `));

    // A program below a shell below the run's own: what it started, and what that started.
    const runs = {
      'a command': (count: number) => ['exec', '--', `cmd /c "cmd /c ping -n ${count} 127.0.0.1"`],
      'a command in PowerShell': (count: number) => [
        'exec',
        '--shell',
        'powershell',
        '--',
        `cmd /c "ping -n ${count} 127.0.0.1"`,
      ],
      'a script': (count: number) => {
        const file = join(home(), `${count}.ps1`);
        writeFileSync(file, `'begun'\ncmd /c "ping -n ${count} 127.0.0.1"\n`);
        return ['script', file];
      },
    };

    const theirs = next();
    let stranger: Promise<unknown> | undefined;
    let stopStranger = () => {};
    before(async () => {
      stranger = run(['windows', 'exec', '--', `ping -n ${theirs} 127.0.0.1`], {
        onStart: (child) => {
          stopStranger = () => child.kill('SIGINT');
        },
      });
      await eventually("a stranger's ping runs", () => pings(theirs).length > 0, startMs);
    });

    for (const [what, argsOf] of Object.entries(runs)) {
      it(`${what}: SIGINT ends it with all that it started, and strangers live on`, async () => {
        const mine = next();
        const { exitCode, words, stderr } = await run(['windows', ...argsOf(mine)], {
          onStart: (child) =>
            void eventually('the ping runs', () => pings(mine).length > 0, startMs).then(() => child.kill('SIGINT')),
        });
        const left = { mine: pings(mine), theirs: pings(theirs).length > 0 };
        assert.deepEqual([exitCode, words['state'], left], [130, 'cancelled', { mine: [], theirs: true }], stderr);
      });
    }

    it('the deadline of --timeout ends it with all that it started, and keeps what it had printed', async () => {
      const mine = next();
      const { exitCode, words } = await run([
        'windows',
        'exec',
        '--timeout',
        '4s',
        '--',
        `cmd /c "echo begun& ping -n ${mine} 127.0.0.1 >nul"`,
      ]);
      assert.deepEqual([exitCode, words['state'], words['stdout'], pings(mine)], [4, 'timeout', 'begun\r\n', []]);
    });

    it('leaves nothing on the host once the last run was stopped', async () => {
      stopStranger();
      await stranger;
      await eventually(`no program runs: ${host().programs()}`, () => host().programs().length === 0);
    });
  });
}
