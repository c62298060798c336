import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BunPlugin } from 'bun';

/**
 * Builds the standalone executable.
 *
 *   bun build.ts                       dist/win-automation for this machine
 *   bun build.ts --target linux-arm64  dist/win-automation-linux-arm64 (repeatable, or `all`)
 */
const targets = ['linux-x64', 'linux-arm64', 'linux-x64-musl', 'linux-arm64-musl'] as const;
type Target = (typeof targets)[number];

const { values } = parseArgs({ options: { target: { type: 'string', multiple: true, default: [] } } });
const wanted = values.target.includes('all') ? [...targets] : values.target;

async function commitOf(): Promise<string> {
  // Where there is no git: packagers say it.
  if (process.env['BUILD_COMMIT']) return process.env['BUILD_COMMIT'];
  const git = async (...args: string[]) => {
    const child = Bun.spawn(['git', ...args], { cwd: import.meta.dir, stdout: 'pipe', stderr: 'ignore' });
    return (await child.exited) === 0 ? (await new Response(child.stdout).text()).trim() : undefined;
  };
  const commit = await git('rev-parse', '--short=12', 'HEAD');
  if (commit === undefined) return 'unknown';
  return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? commit : `${commit}-dirty`;
}

/**
 * Puts JSON that playwright-core reads by path at run time into the code: the build machine's paths exist nowhere else.
 * A library that no longer looks like this fails the build, not the host at night.
 */
const embedPlaywrightJson: BunPlugin = {
  name: 'embed-playwright-json',
  setup: ({ onLoad }) => {
    onLoad({ filter: /playwright-core\/lib\/coreBundle\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      for (const name of ['package.json', 'browsers.json']) {
        const json = await readFile(join(dirname(path), '..', name), 'utf8');
        const pattern = new RegExp(`require\\(import_path\\d+\\.default\\.join\\(packageRoot, "${name}"\\)\\)`, 'g');
        if (contents.match(pattern)?.length !== 1) throw new Error(`${path}: expected one require of ${name}`);
        contents = contents.replace(pattern, () => `(${json.trim()})`);
      }
      return { contents, loader: 'js' };
    });
  },
};

/** The file that sends a worker's heartbeats, in a thread of its own. */
const heartbeatWorker = 'node_modules/@hatchet-dev/typescript-sdk/clients/dispatcher/heartbeat/heartbeat-worker.js';

/**
 * Lets Hatchet's SDK start that thread from inside the executable, where it looks for a file beside its own.
 * A library that no longer looks like this fails the build, not the worker at night.
 */
const embedHeartbeatWorker: BunPlugin = {
  name: 'embed-heartbeat-worker',
  setup: ({ onLoad }) => {
    onLoad({ filter: /heartbeat\/heartbeat-controller\.js$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      const call = "(0, thread_helper_1.runThreaded)(path_1.default.join(__dirname, './heartbeat-worker'), {";
      if (contents.split(call).length !== 2) throw new Error(`${path}: expected one start of the heartbeat thread`);
      const embedded = `new (require("worker_threads").Worker)("./${heartbeatWorker}", {`;
      return { contents: contents.replace(call, embedded), loader: 'js' };
    });
  },
};

async function build(outfile: string, target?: Target): Promise<void> {
  const result = await Bun.build({
    entrypoints: ['src/main.ts', heartbeatWorker],
    plugins: [embedPlaywrightJson, embedHeartbeatWorker],
    compile: {
      outfile,
      ...(target === undefined ? {} : { target: `bun-${target}` }),
      // Else a bunfig.toml or .env in the folder it is started in could run code in it.
      autoloadBunfig: false,
      autoloadDotenv: false,
    },
    minify: true,
    // A chunk a command: one chunk for all made `--version` take half as long again.
    splitting: true,
    bytecode: true,
    sourcemap: 'inline',
    format: 'esm',
    define: { BUILD_COMMIT: JSON.stringify(await commitOf()) },
  });
  if (!result.success) throw new AggregateError(result.logs, `building ${outfile} failed`);
  // The maps are inside the executable; Bun leaves copies beside it.
  const leftovers = (await readdir('dist')).filter((name) => name.endsWith('.map'));
  await Promise.all(leftovers.map((name) => rm(`dist/${name}`)));
  console.log(`built ${outfile}`);
}

if (wanted.length === 0) await build('dist/win-automation');

const sums: string[] = [];
for (const target of wanted) {
  if (!targets.includes(target as Target))
    throw new RangeError(`--target ${target}: give ${targets.join(', ')} or all`);
  const name = `win-automation-${target}`;
  await build(`dist/${name}`, target as Target);
  const hash = createHash('sha256')
    .update(await readFile(`dist/${name}`))
    .digest('hex');
  sums.push(`${hash}  ${name}\n`);
}
if (sums.length > 0) await writeFile('dist/SHA256SUMS', sums.join(''));
