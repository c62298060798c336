import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger } from '../../src/core/logger.ts';
import { parseFailpoints } from '../../src/supervisor/failpoints.ts';
import { takeLock } from '../../src/supervisor/lock-file.ts';
import { emptyHostState, readState, statePath, withEvents, writeState } from '../../src/supervisor/state-file.ts';

describe("the supervisor's memory", () => {
  let dir: string;
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    redact: (text) => text,
    write: (line) => void lines.push(line),
    component: 'test',
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wa-state-'));
    lines.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is empty where there is none, and comes back as it was written', async () => {
    const path = statePath(dir);
    assert.deepEqual(await readState(path, logger), { schema_version: 1, hosts: {} });
    const state = {
      schema_version: 1 as const,
      hosts: { default: { ...emptyHostState, breakers: { ssh: { failures: 2, openedMs: null } } } },
    };
    await writeState(path, state);
    assert.deepEqual(await readState(path, logger), state);
  });
  for (const text of ['', '{', '[]', '{"schema_version":2,"hosts":{}}', '{"schema_version":1,"hosts":{"a":{}}}']) {
    it(`is set aside and said where it is damaged: ${text}`, async () => {
      writeFileSync(statePath(dir), text);
      assert.deepEqual(await readState(statePath(dir), logger), { schema_version: 1, hosts: {} });
      assert.ok(readdirSync(dir)[0]?.startsWith('supervisor.json.damaged-'));
      assert.match(lines.join(''), /set aside/);
    });
  }
  it('keeps a bounded history', () => {
    const event = { at: '', component: 'ssh' as const, event: 'x', detail: '' };
    assert.equal(
      withEvents(
        Array.from({ length: 300 }, () => event),
        [event],
      ).length,
      200,
    );
  });
  it('is held by one process; a dead owner holds nothing', async () => {
    const path = join(dir, 'lock');
    const held = await takeLock(path, process.pid);
    assert.ok(typeof held === 'object');
    assert.equal(await takeLock(path, process.ppid), process.pid);
    await held[Symbol.asyncDispose]();
    writeFileSync(path, `${process.pid} 1\n`);
    const taken = await takeLock(path, process.pid);
    assert.ok(typeof taken === 'object');
  });
  it('takes failpoints by name, several by commas', () => {
    assert.deepEqual([...parseFailpoints('ssh, playwright')], ['ssh', 'playwright']);
    assert.deepEqual([...parseFailpoints(undefined)], []);
    assert.throws(() => parseFailpoints('aloha'), { code: 'usage' });
  });
});
