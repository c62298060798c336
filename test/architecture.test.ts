import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** The floors of the house, from the ground up: a room may use what is below it, never its neighbours. */
const floors = [
  ['core'],
  ['config'],
  ['windows'],
  ['http'],
  ['aloha', 'playwright', 'hatchet', 'artifacts'],
  ['supervisor'],
  ['jobs'],
  ['lab'],
  ['cli'],
  ['main.ts'],
];
const mayUseLab = ['cli/lab.ts', 'cli/lab', 'cli/demo.ts'];

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const roomOf = (file: string) => file.split('/')[0] ?? '';
const floorOf = (room: string) => floors.findIndex((rooms) => rooms.includes(room));

/** What a file imports, and loads later by `import()`; addresses of other files relative to src. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map((match) => match[1] as string);
  return found.map((name) => (name.startsWith('.') ? relative(src, join(src, dirname(file), name)) : name));
}

describe('the house', () => {
  it('has no room that is on no floor', () => {
    for (const file of files) assert.notEqual(floorOf(roomOf(file)), -1, `${file} is in an unknown room`);
  });

  for (const file of files) {
    it(`lets ${file} use only rooms below its own`, () => {
      const room = roomOf(file);
      for (const used of importsOf(file).filter((name) => name.endsWith('.ts'))) {
        const other = roomOf(used);
        if (other === room) continue;
        assert.ok(floorOf(other) < floorOf(room), `${file} imports ${used}`);
        assert.ok(other !== 'lab' || mayUseLab.some((allowed) => file.startsWith(allowed)), `${file} imports ${used}`);
      }
    });
  }

  it('keeps services away from the process they run in', () => {
    for (const file of files.filter((name) => !['cli', 'main.ts'].includes(roomOf(name)))) {
      const text = readFileSync(join(src, file), 'utf8');
      assert.doesNotMatch(
        text,
        /\bprocess\.(argv|env|exit|exitCode|kill|on|stderr|stdin|stdout)\b|\bconsole\.|node:process/,
        `${file} touches the process`,
      );
    }
  });

  it('runs on Deno too: nothing of Bun alone', () => {
    for (const file of files) {
      const text = readFileSync(join(src, file), 'utf8');
      assert.doesNotMatch(text, /\bBun\.|(from|import\()\s*['"]bun:/, `${file} uses Bun`);
      const bare = importsOf(file).filter((name) => /^[a-z]+$/.test(name) && isBuiltin(name));
      assert.deepEqual(bare, [], `${file} imports a built-in module without node:`);
    }
  });

  it('keeps files short enough to read: 300 lines', () => {
    for (const file of files) {
      const lines = readFileSync(join(src, file), 'utf8').split('\n').length;
      assert.ok(lines <= 300, `${file} has ${lines} lines`);
    }
  });
});

function isBuiltin(name: string): boolean {
  return [
    'fs',
    'path',
    'net',
    'os',
    'crypto',
    'stream',
    'http',
    'https',
    'util',
    'url',
    'process',
    'child_process',
  ].includes(name);
}
