import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HashingFile } from '../../src/artifacts/hashing-file.ts';
import { JobFolder } from '../../src/artifacts/job-folder.ts';
import { readManifest } from '../../src/artifacts/manifest.ts';
import { createRedactor } from '../../src/core/redact.ts';

const dir = mkdtempSync(join(tmpdir(), 'wa-folder-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const facts = { traceId: 't', type: 'windows.exec', host: 'default', createdAt: new Date(), input: {} };
const create = (jobId: string, attempt: number) =>
  JobFolder.create(dir, { ...facts, jobId, attempt }, (text: string) => text);
const done = { state: 'completed', result: null, error: null } as const;
const lost = { code: 'job_lost' };

describe('the folder of a job', () => {
  it('belongs to the try that began last: an earlier one that wakes up changes nothing in it', async () => {
    const stale = await create('two-tries', 1);
    const sink = await stale.stream('ssh', 'ssh/stdout.txt');
    const later = await create('two-tries', 2);
    await later.text('ssh', 'ssh/stdout.txt', 'of the second try');
    await new Promise((resolve) => sink.write('of the first try', resolve));
    await assert.rejects(stale.text('ssh', 'ssh/exit_code.txt', '1\n'), lost);
    await assert.rejects(stale.finish({ ...done, state: 'cancelled' }), lost);
    await later.finish(done);
    const manifest = await readManifest(later.dir);
    assert.deepEqual([manifest?.state, manifest?.attempt, manifest?.artifacts.length], ['completed', 2, 1]);
    assert.equal(readFileSync(join(later.dir, 'ssh/stdout.txt'), 'utf8'), 'of the second try');
    assert.equal(existsSync(join(later.dir, 'ssh/exit_code.txt')), false);
  });

  it('may be written to its end by the try that has it', async () => {
    const folder = await create('one-try', 1);
    await folder.text('ssh', 'a.txt', 'a');
    const sink = await folder.stream('ssh', 'b.txt');
    await new Promise((resolve) => sink.write('b', resolve));
    const { artifacts } = await folder.finish(done);
    assert.deepEqual(artifacts.map(({ path, size_bytes }) => [path, size_bytes]).sort(), [
      ['a.txt', 1],
      ['b.txt', 1],
    ]);
  });

  it('keeps its dates, states and keys whatever word a secret is, and only the secret is gone', async () => {
    for (const secret of ['2', 'state', 'completed', 'message', '"']) {
      const redact = createRedactor([secret]);
      const folder = await JobFolder.create(
        dir,
        { ...facts, jobId: 'common-word', attempt: 1, input: { a: 'state 2 "' } },
        redact,
      );
      const result = { state: 'completed', n: 2 };
      await folder.finish({ state: 'failed', result, error: { code: 'remote_failed', message: 'message "2"' } });
      const manifest = await readManifest(folder.dir);
      assert.deepEqual([manifest?.state, manifest?.error?.code], ['failed', 'remote_failed']);
      assert.deepEqual(manifest?.input, { a: redact('state 2 "') });
      assert.equal(manifest?.error?.message, redact('message "2"'));
      assert.deepEqual(Object.keys(manifest?.result as object), ['state', 'n']);
    }
  });
});

describe('a file on a full disk', () => {
  it('gives the error to whoever writes, and is closed all the same', { timeout: 5_000 }, async () => {
    const file = new HashingFile('/dev/full');
    const chunk = Buffer.alloc(200_000);
    const error = await new Promise((resolve) => file.write(chunk, resolve));
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    assert.equal(await file.close(), false);
  });
});
