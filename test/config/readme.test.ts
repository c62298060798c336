import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Secret, secrets, settings } from '../../src/config/sections.ts';
import { differences } from '../support/side-by-side-differences.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  .replace(/ +/g, ' ')
  .replace(/-{3,}/g, '---');

describe("the README's configuration table", () => {
  it('has a row for every setting and every secret, with its variable and its default', () => {
    for (const { key, env, setting } of settings) {
      const shown =
        setting.fallback === undefined ? '' : setting.fallback === '' ? ' empty' : ` \`${setting.fallback}\``;
      assert.ok(readme.includes(`| \`${key}\` | \`${env}\` |${shown} | ${setting.description} |`), key);
    }
    for (const { key, env } of Object.values<Secret>(secrets))
      assert.ok(readme.includes(`| (secret) \`${key}\` | \`${env}\` |`), key);
  });
});

describe("the README's tables on PowerShell", () => {
  it('have every difference from PowerShell by itself that is meant, and no other', () => {
    const rows = Object.values(differences).map(({ what, why }) => `| ${what} | ${why} |\n`);
    assert.ok(readme.includes(`| what differs | why |\n| --- | --- |\n${rows.join('')}\n`));
  });

  it('say of every script what it was run on', () => {
    const scripts = readdirSync(new URL('../../src/windows/powershell/scripts', import.meta.url));
    for (const script of scripts)
      assert.match(readme, new RegExp(`^\\| ${script.replace('.', '\\.')} \\|`, 'm'), script);
  });
});
