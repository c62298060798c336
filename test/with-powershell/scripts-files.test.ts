import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { ScriptBench } from '../support/script-bench.ts';
import { Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

suite('the scripts about files', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  /** A machine with artifact folders: file names, and how many bytes each has. */
  const withJobs = (jobs: Readonly<Record<string, Readonly<Record<string, number>>>>, state: MachineState = {}) => {
    const machine = new Machine(state);
    for (const [job, files] of Object.entries(jobs)) {
      for (const [name, bytes] of Object.entries(files)) {
        const file = join(machine.dir, 'jobs', job, name);
        mkdirSync(join(file, '..'), { recursive: true });
        writeFileSync(file, Buffer.alloc(bytes));
      }
    }
    return machine;
  };
  const artifacts = async (machine: Machine, action: 'list' | 'remove' = 'list', job_ids: string[] = []) =>
    (await bench.run('artifacts', { action, root: join(machine.dir, 'jobs'), job_ids }, machine)).document;

  it('lists no folder, one and many, with files in folders and those that are hidden', async () => {
    for (const count of [0, 1, 30]) {
      const files = { 'a.txt': 5, '.hidden': 7, 'sub/ü 日本.txt': 11 };
      using machine = withJobs(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`job-${index}`, files])),
      );
      const { jobs } = await artifacts(machine);
      assert.deepEqual(
        [jobs.length, ...new Set(jobs.map((job) => `${job.files} ${job.size_bytes}`))],
        [count, ...(count === 0 ? [] : ['3 23'])],
      );
    }
  });

  it('removes what is named and no more', async () => {
    using machine = withJobs({ 'job-1': { a: 1 }, 'job-2': { a: 1 } });
    const { jobs, removed } = await artifacts(machine, 'remove', ['job-1', 'job-3']);
    assert.deepEqual([jobs.map(({ job_id }) => job_id), removed], [['job-2'], ['job-1']]);
  });

  for (const id of ['..', '.', 'a/b', 'a\\b', '*', 'job-2\n', '', `a${'x'.repeat(128)}`]) {
    it(`removes nothing at all where one id is ${JSON.stringify(id).slice(0, 12)}`, async () => {
      using machine = withJobs({ 'job-1': { a: 1 }, 'job-2': { a: 1 } });
      const input = { action: 'remove', root: join(machine.dir, 'jobs'), job_ids: ['job-1', id] } as const;
      await assert.rejects(bench.run('artifacts', { ...input, job_ids: [...input.job_ids] }, machine), /not a job id/);
      assert.deepEqual(readdirSync(join(machine.dir, 'jobs')), ['job-1', 'job-2']);
    });
  }

  it('says that access is denied instead of that there are no artifacts', async () => {
    const errors = { 'Get-ChildItem': { category: 'PermissionDenied', message: 'Access to the path is denied.' } };
    const { error } = await bench.fail('artifacts', { action: 'list', root: '/', job_ids: [] }, { errors });
    assert.match(error, /Access to the path is denied/);
  });

  it('hashes no file, one, and many, hidden ones and names that are patterns among them', async () => {
    using machine = new Machine();
    const names = ['.hidden', 'a [x]*.txt', 'ü 日本', "it's"];
    for (const name of names) writeFileSync(join(machine.dir, name), name);
    const paths = names.map((name) => join(machine.dir, name));
    for (const wanted of [[], paths.slice(0, 1), paths]) {
      const { document } = await bench.run('hash', { paths: wanted }, machine);
      assert.deepEqual(
        document.files.map(({ path, size_bytes, sha256 }) => [path, size_bytes, /^[0-9a-f]{64}$/.test(sha256)]),
        wanted.map((path) => [path, readFileSync(path).length, true]),
      );
    }
  });

  it('names the file of many that is not there', async () => {
    const { error } = await bench.fail('hash', { paths: [process.execPath, '/no/such/file'] });
    assert.match(error, /no\/such\/file/);
  });

  it('writes a secret that only SYSTEM and Administrators may read', async () => {
    using machine = new Machine();
    const path = join(machine.dir, 'new [x]', 'secret ü');
    const stdin = `${Buffer.from('sëcret').toString('base64')}\n`;
    const { document } = await bench.run('secretFile', { path }, machine, { stdin });
    assert.deepEqual(document, { path, size_bytes: 7, readers: ['S-1-5-18', 'S-1-5-32-544'] });
    assert.equal(readFileSync(path, 'utf8'), 'sëcret');
    assert.deepEqual(readdirSync(join(machine.dir, 'new [x]')), ['secret ü']);
  });

  for (const [what, stdin, reason] of [
    ['standard input is at its end', '', /no secret came/],
    ['its line is empty', '\n', /no secret came/],
    ['it is no base64', '%%%\n', /base.?64/i],
  ] as const) {
    it(`writes no secret where ${what}`, async () => {
      using machine = new Machine();
      const path = join(machine.dir, 'sub', 'secret');
      await assert.rejects(bench.run('secretFile', { path }, machine, { stdin }), reason);
      assert.equal(existsSync(join(machine.dir, 'sub')), false);
    });
  }

  it('leaves no half of a secret where it can not be closed to others', async () => {
    const errors = {
      'Set-Acl': { category: 'PermissionDenied', message: 'Attempted to perform an unauthorized operation.' },
    };
    using machine = new Machine({ errors });
    const path = join(machine.dir, 'sub', 'secret');
    await assert.rejects(bench.run('secretFile', { path }, machine, { stdin: 'YQ==\n' }), /unauthorized/);
    assert.deepEqual(readdirSync(join(machine.dir, 'sub')), []);
  });

  it('closes a folder that is there, and makes one that is not', async () => {
    using machine = new Machine();
    const path = join(machine.dir, 'closed [x]');
    for (const _ of [1, 2]) {
      const { document } = await bench.run('closedFolder', { path }, machine);
      assert.deepEqual(document, { path, readers: ['S-1-5-18', 'S-1-5-32-544'] });
    }
    assert.equal(machine.state.acl?.[path]?.['owner'], 'S-1-5-32-544');
  });

  it('saves a picture of all screens', async () => {
    using machine = new Machine({ desktop: [-1920, 0, 3840, 1080] });
    const path = join(machine.dir, 'shot ü.png');
    const { document } = await bench.run('screenshot', { path }, machine);
    assert.deepEqual(document, { path, width: 3_840, height: 1_080 });
    assert.equal(readFileSync(path, 'utf8'), 'picture of 3840x1080');
  });

  it('says that a session has no desktop', async () => {
    const { error } = await bench.fail('screenshot', { path: '/nowhere' }, { desktop: [0, 0, 0, 0] });
    assert.match(error, /no desktop/);
  });
});

suite('the playwright script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const ask = async (files: Readonly<Record<string, string>>, node?: string) => {
    using machine = new Machine();
    const bin = join(machine.dir, 'bin');
    mkdirSync(bin);
    if (node !== undefined) {
      writeFileSync(join(bin, 'node.exe'), `#!/bin/sh\n${node}\n`);
      chmodSync(join(bin, 'node.exe'), 0o755);
    }
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(machine.dir, name, '..'), { recursive: true });
      writeFileSync(join(machine.dir, name), content);
    }
    const options = { environment: { PATH: bin } };
    const { document } = await bench.run('playwright', { dir: join(machine.dir, 'pw') }, machine, options);
    return { ...document, browsers: document.browsers.map((path) => path.slice(machine.dir.length)) };
  };
  const packageFile = 'pw/node_modules/playwright/package.json';

  it('finds nothing where there is nothing', async () => {
    assert.deepEqual(await ask({}), { node_path: '', node_version: '', playwright_version: '', browsers: [] });
  });

  it('finds Node, Playwright and browsers', async () => {
    const files = {
      [packageFile]: '{"version":"1.65.1"}',
      'pw/browsers/chromium-1200/x': '',
      'pw/browsers/ffmpeg-1/x': '',
      'local/ms-playwright/chromium_headless_shell-1200/x': '',
    };
    const { node_version, playwright_version, browsers } = await ask(files, 'echo v22.20.0');
    assert.deepEqual([node_version, playwright_version], ['22.20.0', '1.65.1']);
    assert.deepEqual(browsers, ['/pw/browsers/chromium-1200', '/local/ms-playwright/chromium_headless_shell-1200']);
  });

  for (const [what, content] of [
    ['cut short', '{"version":"1.6'],
    ['empty', ''],
    ['a file of something else', '[]'],
  ] as const) {
    it(`counts a package.json that is ${what} as not there`, async () => {
      assert.equal((await ask({ [packageFile]: content })).playwright_version, '');
    });
  }

  it('says where Node is that does not start', async () => {
    const { node_path, node_version } = await ask({}, 'exit 1');
    assert.notEqual(node_path, '');
    assert.equal(node_version, '');
  });
});
