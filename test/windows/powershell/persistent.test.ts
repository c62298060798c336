import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { milliseconds } from '../../../src/core/duration.ts';
import { AutomationError } from '../../../src/core/errors.ts';
import { warmCommandLine, warmFirstLine } from '../../../src/windows/powershell/command-line.ts';
import {
  type CommandChannel,
  type PersistentOptions,
  PersistentPowershell,
} from '../../../src/windows/powershell/persistent.ts';
import { eventually } from '../../support/processes.ts';

const never = new AbortController().signal;
const word = (text: string) => Buffer.from(text, 'utf8').toString('base64');

/** A far side that a test speaks for. */
class FarSide {
  readonly requests: string[] = [];
  readonly stderr = new PassThrough();
  readonly channel: CommandChannel;
  commandLine = '';
  /** Called for every line but the first. */
  onRequest: (line: string) => void = () => undefined;

  constructor() {
    let rest = '';
    const duplex = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          this.requests.push(line);
          if (this.requests.length > 1) this.onRequest(line);
        }
        done();
      },
    });
    this.channel = Object.assign(duplex, { stderr: this.stderr });
  }

  say(text: string): void {
    this.channel.push(text);
  }

  async openCommand(commandLine: string): Promise<{ channel: CommandChannel }> {
    this.commandLine = commandLine;
    return { channel: this.channel };
  }
}

async function started(options?: PersistentOptions): Promise<{ far: FarSide; powershell: PersistentPowershell }> {
  const far = new FarSide();
  const powershell = PersistentPowershell.start(far, options);
  far.say('ready 4711\n');
  await powershell.ready;
  return { far, powershell };
}

/** Until what was asked for has been sent. */
const sent = () => new Promise((resolve) => setImmediate(resolve));

const code = (expected: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AutomationError);
  assert.equal(error.code, expected);
  assert.match(error.message, message);
  return true;
};

describe('starting the PowerShell that stays', () => {
  it('runs the loader and gives it its text as the first line', async () => {
    const { far } = await started();
    assert.deepEqual([far.commandLine, far.requests], [warmCommandLine, [warmFirstLine]]);
  });

  it('fails with what it said where it ends instead', async () => {
    const far = new FarSide();
    const powershell = PersistentPowershell.start(far);
    far.stderr.write("'powershell' is not recognized");
    await new Promise((resolve) => setTimeout(resolve, 20));
    far.channel.destroy();
    await assert.rejects(powershell.ready, code('remote_unexpected', /did not start.*'powershell' is not recognized/));
  });

  it('fails with its reason where it can not set itself up', async () => {
    const far = new FarSide();
    const powershell = PersistentPowershell.start(far);
    far.say(`broken ${word('no such method')}\n`);
    await assert.rejects(powershell.ready, code('remote_unexpected', /no such method/));
  });

  it('has a deadline', async () => {
    const powershell = PersistentPowershell.start(new FarSide(), { startTimeoutMs: milliseconds(50) });
    await assert.rejects(powershell.ready, code('timeout', /starting PowerShell/));
    assert.equal(powershell.isUsable, false);
  });

  it('closes a channel that opens after the deadline', async () => {
    const far = new FarSide();
    const late = new Promise<{ channel: CommandChannel }>((resolve) => {
      setTimeout(() => resolve({ channel: far.channel }), 120);
    });
    const powershell = PersistentPowershell.start({ openCommand: () => late }, { startTimeoutMs: milliseconds(40) });
    await assert.rejects(powershell.ready);
    await eventually('the channel is closed', () => far.channel.destroyed);
  });

  it('never runs a script that was cancelled while it started', async () => {
    const far = new FarSide();
    const powershell = PersistentPowershell.start(far);
    const stop = new AbortController();
    const run = powershell.run("'a'", '-', stop.signal);
    stop.abort(new Error('stop'));
    await assert.rejects(run, /stop/);
    far.say('ready 1\n');
    await powershell.ready;
    assert.deepEqual(far.requests, [warmFirstLine]);
  });
});

describe('the PowerShell that stays', () => {
  it('gives each script what it printed, in whatever pieces it comes', async () => {
    const { far, powershell } = await started();
    const runs = ['one', 'two'].map((script) => powershell.run(script, '-', never));
    await sent();
    const euro = Buffer.from('€', 'utf8');
    far.say(`out 2 ${euro.subarray(0, 1).toString('base64')}\nout 1 ${word('a')}\nout 2`);
    far.say(` ${euro.subarray(1).toString('base64')}\ndone 2 ok -\ndone 1 ok -\n`);
    assert.deepEqual(await Promise.all(runs), ['a', '€']);
  });

  it("fails a script with the script's own words", async () => {
    const { far, powershell } = await started();
    const run = powershell.run('throw', '-', never);
    await sent();
    far.say(`done 1 failed ${word('größer')}\n`);
    await assert.rejects(run, code('script_failed', /größer$/));
  });

  for (const [name, line] of [
    ['a line that makes no sense', 'hello\n'],
    ['an answer that says that a request made no sense', `broken ${word('the id 1 is in use')}\n`],
    ['a line without end', 'x'.repeat(300_000)],
  ] as const) {
    it(`takes no more scripts after ${name}, and fails those that run`, async () => {
      const { far, powershell } = await started();
      const run = powershell.run('a', '-', never);
      await sent();
      far.say(line);
      await assert.rejects(run, code('ssh_connection_lost', /the PowerShell that stays ended/));
      assert.equal(powershell.isUsable, false);
    });
  }

  it('fails the scripts that run when its channel is closed', async () => {
    const { far, powershell } = await started();
    const run = powershell.run('a', '-', never);
    await sent();
    far.channel.destroy();
    await assert.rejects(run, code('ssh_connection_lost', /its channel was closed/));
  });

  it('waits for a cancelled script to end, and rejects with the reason alone', async () => {
    const { far, powershell } = await started();
    const stop = new AbortController();
    const reason = new Error('stop');
    const run = powershell.run('a', '-', stop.signal);
    await sent();
    far.onRequest = () => setTimeout(() => far.say('done 1 cancelled -\n'), 20);
    stop.abort(reason);
    await assert.rejects(run, (error) => error === reason);
    assert.deepEqual([far.requests.at(-1), powershell.isUsable], ['cancel 1', true]);
  });

  it('says so where something of a cancelled script may be left running, and is replaced', async () => {
    const { far, powershell } = await started();
    const stop = new AbortController();
    const run = powershell.run('a', '-', stop.signal);
    await sent();
    far.onRequest = () => far.say(`done 1 left ${word('it goes on')}\n`);
    stop.abort(new AutomationError('timeout', 'the script did not end within 1s'));
    await assert.rejects(run, code('timeout', /did not end within 1s; .*may be left running: it goes on/));
    assert.equal(powershell.isUsable, false);
  });

  it('waits no longer than told for the answer to a cancel', async () => {
    const { powershell } = await started({ cancelTimeoutMs: milliseconds(50) });
    const stop = new AbortController();
    const run = powershell.run('a', '-', stop.signal);
    await sent();
    stop.abort(new Error('stop'));
    await assert.rejects(run, code('cancelled', /stop; .*may be left running/));
  });

  it('ends after doubt only once the other scripts are done', async () => {
    const { far, powershell } = await started();
    const stop = new AbortController();
    const doubtful = powershell.run('a', '-', stop.signal);
    const other = powershell.run('b', '-', never);
    await sent();
    stop.abort(new Error('stop'));
    far.say(`done 1 left ${word('it goes on')}\n`);
    await assert.rejects(doubtful);
    assert.equal(far.requests.includes('exit'), false);
    far.say(`out 2 ${word('b')}\ndone 2 ok -\n`);
    assert.equal(await other, 'b');
    assert.equal(far.requests.at(-1), 'exit');
  });

  it('is replaced after 5,000 scripts', async () => {
    const { far, powershell } = await started();
    far.onRequest = (line) => line.startsWith('run ') && far.say(`done ${line.split(' ')[1]} ok -\n`);
    for (let script = 1; script < 5_000; script += 1) await powershell.run('a', '-', never);
    assert.equal(powershell.isUsable, true);
    await powershell.run('a', '-', never);
    assert.equal(powershell.isUsable, false);
  });
});
