import assert from 'node:assert/strict';
import { isAbsolute, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isArtifactPath } from '../../src/artifacts/artifact-path.ts';
import { isJobId } from '../../src/artifacts/job-id.ts';

describe('an artifact path', () => {
  for (const path of ['ssh/stdout.txt', 'a', 'aloha/run/steps/1124_x/ünï.png']) {
    it(`may be ${path}`, () => assert.ok(isArtifactPath(path)));
  }
  for (const path of [
    '',
    '/a',
    '../a',
    'a/..',
    'a/./b',
    'a//b',
    'a/',
    'C:\\a',
    'a\\b',
    'a\0b',
    'a:b',
    'a\nb',
    'x'.repeat(2_000),
  ]) {
    it(`may not be ${JSON.stringify(path.slice(0, 30))}`, () => assert.ok(!isArtifactPath(path)));
  }
  it('never leads out of its folder, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '', 'a', '\\', 'C:', '~')),
        fc.constantFrom('/', '\\'),
        (parts, by) => {
          const path = parts.join(by);
          if (!isArtifactPath(path)) return;
          assert.ok(!isAbsolute(path));
          assert.ok(normalize(join('/root/job', path)).startsWith('/root/job/'));
        },
      ),
    );
  });
});

describe('a job id', () => {
  it('is a name that leads nowhere else', () => {
    for (const id of ['a', 'kill-001', 'A.b_c-d', 'x'.repeat(128)]) assert.ok(isJobId(id), id);
    for (const id of ['', '.', '..', '.a', 'a.', 'a/b', 'a b', 'ä', 'x'.repeat(129), 'a\n'])
      assert.ok(!isJobId(id), id);
  });
});
