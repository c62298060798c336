import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger } from '../../src/core/logger.ts';
import { emptyHostState, type HostState, readState, writeState } from '../../src/supervisor/state-file.ts';
import { StateKeeper } from '../../src/supervisor/state-keeper.ts';

const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'test' });
const memoryOf = (event: string): HostState => ({
  ...emptyHostState,
  history: [{ at: '2026-11-24T00:00:00.000Z', component: 'ssh', event, detail: '' }],
});

describe('the memory of many hosts', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wa-keeper-'));
    path = join(dir, 'supervisor.json');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is whole on disk, however many change it at once', async () => {
    const keeper = new StateKeeper(path, logger);
    const hosts = Array.from({ length: 100 }, (_, i) => `vm-${i}`);
    await Promise.all(hosts.map((host) => keeper.set(host, memoryOf(host))));
    const { hosts: kept } = await readState(path, logger);
    assert.deepEqual(kept, Object.fromEntries(hosts.map((host) => [host, memoryOf(host)])));
  });

  it('is on disk when it is said to be', async () => {
    const keeper = new StateKeeper(path, logger);
    const first = keeper.set('a', memoryOf('1'));
    const second = keeper.set('b', memoryOf('1'));
    await first;
    const third = keeper.set('a', memoryOf('2'));
    await Promise.all([second, third]);
    assert.deepEqual((await readState(path, logger)).hosts, { a: memoryOf('2'), b: memoryOf('1') });
  });

  it('is written together while other hosts are still being looked at', async () => {
    const keeper = new StateKeeper(path, logger);
    const hosts = Array.from({ length: 20 }, (_, i) => `vm-${i}`);
    for (const host of hosts) await keeper.get(host);
    const files = new Set<number>();
    const kept = hosts.map(async (host, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 5));
      await keeper.set(host, memoryOf(host));
      files.add(statSync(path).mtimeMs);
    });
    await Promise.all(kept);
    assert.ok(files.size < hosts.length / 2, `${files.size} writes`);
    assert.equal(Object.keys((await readState(path, logger)).hosts).length, 20);
  });

  it('sees what another process wrote meanwhile, and keeps it', async () => {
    const keeper = new StateKeeper(path, logger);
    await keeper.set('a', memoryOf('1'));
    await writeState(path, { schema_version: 1, hosts: { a: memoryOf('other'), b: memoryOf('other') } });
    assert.deepEqual(await keeper.get('a'), memoryOf('other'));
    await keeper.set('a', memoryOf('2'));
    assert.deepEqual((await readState(path, logger)).hosts, { a: memoryOf('2'), b: memoryOf('other') });
  });

  it('begins anew where the file is damaged, and goes on after a write that failed', async () => {
    const keeper = new StateKeeper(path, logger);
    writeFileSync(path, '{');
    assert.deepEqual(await keeper.get('a'), emptyHostState);
    const gone = new StateKeeper(join(dir, 'file/x/supervisor.json'), logger);
    writeFileSync(join(dir, 'file'), '');
    await assert.rejects(gone.set('a', memoryOf('1')), { code: 'io_failed' });
    rmSync(join(dir, 'file'));
    await gone.set('a', memoryOf('2'));
    assert.deepEqual(await gone.get('a'), memoryOf('2'));
  });
});
